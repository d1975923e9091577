# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One stage of an export: convert one part of a network, quantise it, and run both forms.

`python -m evla_ros.model.runtimes.export_part STAGE` does it in a process of its own, so that the
memory of one stage is free before the next begins. STAGE is the JSON of `Stage`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evla_ros.errors import EvlaError
from evla_ros.model.checkpoint import Parts, read_parts
from evla_ros.model.runtimes import onnx_graphs, openvino_graphs
from evla_ros.model.runtimes.embedding_rows import EmbeddingRows
from evla_ros.model.runtimes.examples import examples
from evla_ros.model.runtimes.frames import Frames, read_frames
from evla_ros.model.runtimes.graph_runner import GraphRunner
from evla_ros.model.runtimes.graphs import (
    DECODER,
    DecoderGraph,
    TowerGraph,
    decoder_outputs,
    part_names,
    with_given_rotary,
)
from evla_ros.model.runtimes.part_model import load_part
from evla_ros.model.runtimes.prompt_inputs import PromptTable
from evla_ros.model.runtimes.quantisation import (
    kept_operations,
    quantise_onnx,
    quantise_openvino,
    stays_whole,
)
from evla_ros.reading.text_files import parse_json

EXACT, EXPORTED = "torch", "exported"
Inputs = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Stage:
    """What one stage does.

    Attributes:
        checkpoint: the folder that is exported.
        work: a folder with `frames.safetensors`, where the answers of the stages go.
        out: where the graph goes.
        embeddings: file of the prompt's embeddings.
        part: a tower, or the decoder.
        runtime, dtype: the form.
        kept: parts that int8 leaves in floating point.
        calibration: frames that calibrate.
        threads: of the processor; 0: all.
    """

    checkpoint: str
    work: str
    out: str
    embeddings: str
    part: str
    runtime: str
    dtype: str
    kept: tuple[str, ...] = ()
    calibration: int = 0
    threads: int = 0


def graph_file(runtime: str, part: str) -> str:
    """Return the name of a part's file."""
    return f"{runtime}_{part}.{'xml' if runtime == 'openvino' else 'onnx'}"


def export_part(stage: Stage) -> None:
    """Write the graph of a part, and what torch and the graph answer to every frame.

    Raises:
        EvlaError: it cannot be converted.
    """
    parts = read_parts(stage.checkpoint, verify=False)
    work = Path(stage.work)
    frames = read_frames(work / "frames.safetensors", stage.calibration, real=True)
    # The ONNX exporter takes the joined products for constants of one prompt length.
    model = load_part(parts, stage.part, fuse=stage.runtime == "openvino")
    graph: nn.Module
    if stage.part == DECODER:
        graph = DecoderGraph(model)
    else:
        graph = TowerGraph(model.backbones[int(stage.part.removeprefix("tower"))])
    exact = _inputs(stage, parts, frames, EXACT)
    answers = [_ask_torch(graph, one) for one in exact]
    _save(work, stage.part, EXACT, answers)
    runner = _converted(stage, parts, graph, exact[: stage.calibration])
    del graph, model
    exported = _inputs(stage, parts, frames, EXPORTED)
    _save(work, stage.part, EXPORTED, [[a.copy() for a in runner(one)] for one in exported])


def answers_of(work: Path, part: str, which: str) -> list[NDArray[np.float32]]:
    """Return what a part answered to every frame: one array [frames, ...] an output."""
    with np.load(work / f"{which}_{part}.npz", allow_pickle=False) as file:
        return [file[f"output{index}"] for index in range(len(file.files))]


def _save(work: Path, part: str, which: str, answers: list[Inputs]) -> None:
    arrays = {f"output{i}": np.stack(rows) for i, rows in enumerate(zip(*answers, strict=True))}
    np.savez(work / f"{which}_{part}.npz", **arrays)  # type: ignore[arg-type]


def _inputs(stage: Stage, parts: Parts, frames: Frames, which: str) -> list[Inputs]:
    """Return a part's inputs for every frame; the decoder's come from the towers before it."""
    if stage.part != DECODER:
        index, towers = int(stage.part.removeprefix("tower")), len(parts.config.backbones)
        return [[_pictures(frames, number, index, towers)] for number in range(len(frames))]
    work = Path(stage.work)
    features = [answers_of(work, tower, which)[0] for tower in part_names(parts.config)[:-1]]
    table = PromptTable(parts.config, EmbeddingRows(Path(stage.embeddings)))
    rows = []
    for number in range(len(frames)):
        one = frames.one(number)
        prompt = table(one.input_ids, one.text_lengths)
        proprio = [] if one.proprio is None else [one.proprio.numpy()]
        rows.append([*(tower[number] for tower in features), *prompt, *proprio])
    return rows


def _pictures(frames: Frames, number: int, tower: int, towers: int) -> NDArray[np.float32]:
    images = frames.one(number).images
    if images is None:
        raise EvlaError("the frames hold no images")
    pictures = images.flatten(0, 1)
    own = pictures.split(3, dim=1) if pictures.shape[1] > 3 else [pictures] * towers
    array: NDArray[np.float32] = own[tower].contiguous().numpy()
    return array


@torch.no_grad()
def _ask_torch(graph: nn.Module, inputs: Inputs) -> Inputs:
    with with_given_rotary(graph):
        answer = graph(*(torch.from_numpy(array) for array in inputs))
    return [t.numpy() for t in ((answer,) if isinstance(answer, Tensor) else answer)]


def _converted(
    stage: Stage, parts: Parts, graph: nn.Module, frames: Sequence[Inputs]
) -> GraphRunner:
    inputs = examples(parts.config)[stage.part]
    names, values = list(inputs), list(inputs.values())
    path = Path(stage.out) / graph_file(stage.runtime, stage.part)
    quantised = stage.dtype == "int8" and not stays_whole(stage.part, stage.kept)
    kept = kept_operations(stage.kept, parts.config.language_model.layers)
    if stage.runtime == "openvino":
        model = openvino_graphs.convert(graph, values, names)
        if quantised:
            model = quantise_openvino(model, names, frames, kept)
        openvino_graphs.save(model, path, stage.dtype)
        del model
        size = path.with_suffix(".bin").stat().st_size
        return openvino_graphs.OpenVinoGraph(path, stage.dtype, stage.threads, size)
    outputs = decoder_outputs(parts.config) if stage.part == DECODER else ["features"]
    whole = Path(stage.work) / f"{stage.part}.onnx" if quantised else path
    onnx_graphs.convert(graph, values, names, outputs, whole)
    if quantised:
        quantise_onnx(whole, path, kept)
    return onnx_graphs.OnnxGraph(path, stage.threads)


def main() -> int:
    """Do the stage that the command line names."""
    data = parse_json(sys.argv[1], "the settings of a part")
    data["kept"] = tuple(data["kept"])
    stage = Stage(**data)
    if stage.threads:
        torch.set_num_threads(stage.threads)
    try:
        export_part(stage)
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def stage_text(stage: Stage) -> str:
    """Return a stage as the command line takes it."""
    return json.dumps(asdict(stage))


if __name__ == "__main__":
    sys.exit(main())
