# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`runtime.json` of an exported checkpoint: its graphs, their number format, how near they are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evla_ros.model.errors import CheckpointError
from evla_ros.reading.text_files import read_json_object
from evla_ros.settings_errors import lines, problems

MANIFEST = "runtime.json"
Name = Annotated[str, Field(max_length=200)]


class Manifest(BaseModel):
    """How a checkpoint was exported.

    Attributes:
        runtime: what runs its graphs.
        dtype: the number format that they compute in.
        library: that wrote them, with its version.
        graphs: file of each part of the network.
        text_embeddings: file of the rows of the prompt's tokens.
        kept: parts that int8 left in floating point, for the sake of the answers.
        wide_sums: whether its integer products need a processor whose sums do not saturate, as the
            one had that it was quantised on.
        largest_difference: of the normalised numbers of the L1 head, or of the logits, from torch.
        within_one_bin: share of action tokens at most one bin from torch's, in percent, of the
            head that answers.
        frames: that these two were measured on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    runtime: Literal["openvino", "onnx"]
    dtype: Literal["fp32", "bf16", "int8"]
    library: Name
    graphs: dict[Name, Name] = Field(min_length=2, max_length=16)
    text_embeddings: Name
    kept: tuple[Name, ...] = ()
    wide_sums: bool = False
    largest_difference: float = Field(ge=0, allow_inf_nan=False)
    within_one_bin: float = Field(ge=0, le=100)
    frames: int = Field(ge=1)


def is_exported(folder: Path) -> bool:
    """Return whether a checkpoint folder is an exported one."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path, parts: list[str]) -> Manifest:
    """Return the manifest of an exported checkpoint.

    Args:
        folder: the checkpoint.
        parts: the names of the network's graphs; it has to have exactly these.

    Raises:
        CheckpointError: it is not one, lacks a graph, or names a file outside the folder.
    """
    path = folder / MANIFEST
    data = read_json_object(path, CheckpointError)
    try:
        manifest = Manifest.model_validate(data)
    except ValidationError as error:
        raise CheckpointError(lines(problems(error, Manifest), str(path))) from error
    if sorted(manifest.graphs) != sorted(parts):
        raise CheckpointError(
            f"{path}: graphs {sorted(manifest.graphs)}, the network has {sorted(parts)}; export it "
            "again"
        )
    for name in (*manifest.graphs.values(), manifest.text_embeddings):
        if Path(name).name != name:
            raise CheckpointError(f"{path} names {name!r}, which is no file of the folder")
    return manifest
