# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Open what a user names as weights: a folder of Hugging Face or timm, one file, or a hub id."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evla_ros.errors import shorten, shown
from evla_ros.model.errors import CheckpointError
from evla_ros.model.stored import Stored, stored_pickle, stored_safetensors
from evla_ros.reading.text_files import is_file, read_json_object

HUB = "hub:"
_PICKLES = {".pt", ".pth", ".bin"}
_WANTED = ["*.json", "*.safetensors", "*.bin", "*.tiktoken"]


def local_path(name: str) -> Path:
    """Return the path that an option names; `hub:ORG/NAME` is downloaded first, nothing else is.

    Raises:
        CheckpointError: there is no such path, or the download fails.
    """
    if name.startswith(HUB):
        return _download(name.removeprefix(HUB))
    path = Path(name)
    if not path.exists():
        hint = f"; a hub id is written {HUB}{name}" if name.count("/") == 1 else ""
        raise CheckpointError(f"{shown(path)} does not exist{hint}")
    return path


def read_weights(path: Path) -> tuple[dict[str, Stored], dict[str, Any]]:
    """Return the tensors of a folder or file by name, and the folder's `config.json` ({}: none).

    Raises:
        CheckpointError: there are no weights, or they are damaged.
    """
    if path.is_dir():
        config = path / "config.json"
        settings = read_json_object(config, CheckpointError) if config.is_file() else {}
        return _of_folder(path), settings
    if path.suffix == ".safetensors":
        return stored_safetensors(path), {}
    if path.suffix in _PICKLES:
        return stored_pickle(path), {}
    raise CheckpointError(
        f"{shown(path)}: weights are a folder, a .safetensors, or one of {', '.join(_PICKLES)}"
    )


def _of_folder(folder: Path) -> dict[str, Stored]:
    for single, index in (
        ("model.safetensors", "model.safetensors.index.json"),
        ("pytorch_model.bin", "pytorch_model.bin.index.json"),
    ):
        names = shards(folder / index) if is_file(folder / index) else [single]
        if not all(is_file(folder / name) for name in names):
            if len(names) > 1:
                lacking = next(name for name in names if not is_file(folder / name))
                raise CheckpointError(
                    f"{shown(folder)} lacks {shorten(lacking)}, which its index names"
                )
            continue
        found: dict[str, Stored] = {}
        for name in names:
            opened = stored_pickle if name.endswith(".bin") else stored_safetensors
            found.update(opened(folder / name))
        return found
    raise CheckpointError(
        f"{shown(folder)} holds no model.safetensors, pytorch_model.bin or index of several"
    )


def shards(index: Path) -> list[str]:
    """Return the files that an index of sharded weights names.

    Raises:
        CheckpointError: it is no such index, or names a file outside its folder.
    """
    weight_map = read_json_object(index, CheckpointError).get("weight_map")
    if not isinstance(weight_map, dict):
        raise CheckpointError(f"{index}: `weight_map` is no mapping of tensor to file")
    names = sorted({str(shard) for shard in weight_map.values()})
    for shard in names:
        if Path(shard).name != shard:
            raise CheckpointError(f"{index}: shard {shard!r} lies outside the folder; refused")
    return names


def _download(hub_id: str) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, allow_patterns=_WANTED))
    except Exception as error:  # whatever the network does is one sentence
        raise CheckpointError(
            f"{HUB}{hub_id} could not be downloaded: {shorten(str(error))}; download it yourself "
            "and name the folder"
        ) from error
