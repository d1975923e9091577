# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Export a checkpoint to OpenVINO or ONNX Runtime: a checkpoint folder of graphs, checked."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from evla_ros.data.camera_shapes import CAMERAS_FILE
from evla_ros.machine import integer_sums_saturate
from evla_ros.model.checkpoint import (
    CONFIG,
    EMBODIMENT,
    HASHES,
    STATISTICS,
    TOKENIZER,
    WEIGHTS,
    Parts,
)
from evla_ros.model.errors import ExportError
from evla_ros.model.runtimes.agreement import Agreement, agreement
from evla_ros.model.runtimes.embedding_rows import TABLE
from evla_ros.model.runtimes.export_part import (
    EXACT,
    EXPORTED,
    Stage,
    answers_of,
    export_part,
    graph_file,
    stage_text,
)
from evla_ros.model.runtimes.frames import Frames
from evla_ros.model.runtimes.graphs import DECODER, part_names
from evla_ros.model.runtimes.in_memory import MOST_BYTES
from evla_ros.model.runtimes.libraries import load
from evla_ros.model.runtimes.manifest import MANIFEST, Manifest, is_exported
from evla_ros.model.runtimes.quantisation import KEPT, stays_whole
from evla_ros.model.safe_files import sha256
from evla_ros.model.stored import stored_safetensors
from evla_ros.model.weight_writer import write_weights

EMBEDDINGS = "text_embeddings.safetensors"
_EMBED = "language_model.body.embed_tokens.weight"
_MODULE = "evla_ros.model.runtimes.export_part"
Runtime = Literal["openvino", "onnx"]
Dtype = Literal["fp32", "bf16", "int8"]


def check_exportable(parts: Parts, target: Path, runtime: Runtime, dtype: Dtype) -> None:
    """Refuse what cannot be exported before anything is computed.

    Raises:
        ExportError: the target exists, the network does not decode jointly, or the runtime has no
            such number format.
        RuntimeChoiceError: a library is missing.
    """
    if target.exists():
        raise ExportError(f"{str(target)!r} exists; choose another folder")
    if is_exported(parts.path):
        raise ExportError(f"{parts.path} is exported already; export what it was made from")
    if not (parts.path / WEIGHTS).is_file():
        raise ExportError(
            f"{parts.path} holds adapters over another checkpoint: write it whole first, "
            f"`evla export {parts.path} WHOLE`, and export that"
        )
    if parts.config.action.decode != "joint":
        raise ExportError(
            f"{parts.path} decodes {parts.config.action.decode!r}, one token after the other; an "
            "exported network is one pass: train with model.action.decode: joint, or run torch"
        )
    if parts.config.action.readout != "own":
        raise ExportError(
            f"{parts.path} reads each action from the column before its slot (readout: previous); "
            "exported networks read the slot's own: run it in torch"
        )
    if runtime == "onnx" and dtype == "bf16":
        raise ExportError(
            "ONNX Runtime multiplies no bf16 on a CPU: take fp32 or int8, or export openvino"
        )
    for module in {"openvino": ["openvino"], "onnx": ["onnx", "onnxruntime"]}[runtime]:
        load(module, runtime, f"exporting to {runtime}")
    if dtype == "int8" and runtime == "openvino":
        load("nncf", "int8", "exporting to openvino in int8")


def export(
    parts: Parts,
    target: Path,
    runtime: Runtime,
    dtype: Dtype,
    frames: Frames,
    say: Callable[[str], None],
    *,
    check: bool = True,
) -> Manifest:
    """Write a checkpoint folder of graphs, completely or not at all.

    Args:
        parts: the checkpoint.
        target: the folder to write; it must not exist.
        runtime: what will run it.
        dtype: what it will compute in.
        frames: what int8 is calibrated with, and what both forms answer.
        say: takes what is to be told: each stage, and how near the answers are.
        check: refuse answers that are too far from torch's.

    Returns:
        What the folder says of itself.

    Raises:
        ExportError: it cannot be exported, or answers otherwise than torch.
    """
    check_exportable(parts, target, runtime, dtype)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    work = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}.work"
    for folder in (staging, work):
        folder.mkdir()
    try:
        _write_embeddings(parts, staging / EMBEDDINGS)
        frames.save(work / "frames.safetensors")
        stage = Stage(
            str(parts.path.resolve()), str(work), str(staging), str(staging / EMBEDDINGS), "",
            runtime, dtype, calibration=frames.calibration,
        )  # fmt: skip
        kept, near = _graphs(parts, stage, say, check=check, real=frames.real)
        manifest = Manifest(
            runtime=runtime,
            dtype=dtype,
            library=_library(runtime),
            graphs={part: graph_file(runtime, part) for part in part_names(parts.config)},
            text_embeddings=EMBEDDINGS,
            kept=kept,
            wide_sums=dtype == "int8" and not integer_sums_saturate(),
            largest_difference=min(near.largest_difference, 1e30),
            within_one_bin=near.within_one_bin[near.output],
            frames=near.frames,
        )
        _finish(parts, staging, manifest)
        staging.rename(target)
    finally:
        for folder in (staging, work):
            shutil.rmtree(folder, ignore_errors=True)
    return manifest


def _graphs(
    parts: Parts, stage: Stage, say: Callable[[str], None], *, check: bool, real: bool
) -> tuple[tuple[str, ...], Agreement]:
    """Write every graph; int8 keeps more and more in floating point until it is near enough."""
    done: dict[str, bool] = {}
    near = None
    for kept in KEPT if stage.dtype == "int8" else KEPT[:1]:
        for part in part_names(parts.config):
            whole = stays_whole(part, kept)
            if part == DECODER or done.get(part) != whole:
                _run(parts, replace(stage, part=part, kept=kept), say)
                done[part] = whole
        work = Path(stage.work)
        both = (answers_of(work, DECODER, which) for which in (EXACT, EXPORTED))
        near = agreement(parts.config, *both)
        floating = f", {' and '.join(kept)} in fp32" if kept else ""
        say(f"{stage.runtime} {stage.dtype}{floating} against torch fp32: {near.text()}")
        if near.near_enough(stage.dtype) or not check:
            return kept, near
    gate = "1e-4 in fp32" if stage.dtype == "fp32" else "99 % within one bin"
    remedy = "use another dtype"
    if not real:
        remedy = (
            f"it saw invented pictures; add --calibrate DATASET to judge real ones, or {remedy}"
        )
    raise ExportError(
        f"the {stage.runtime} {stage.dtype} form answers too differently from torch ({gate} is "
        f"asked for); nothing was written: {remedy}"
    )


def _run(parts: Parts, stage: Stage, say: Callable[[str], None]) -> None:
    """Do a stage here when the network is small, else in a process that gives its memory back."""
    size = (parts.path / WEIGHTS).stat().st_size
    if size <= MOST_BYTES:
        export_part(stage)
        return
    say(f"{stage.part} ...")
    done = subprocess.run(
        [sys.executable, "-m", _MODULE, stage_text(stage)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
        raise ExportError(f"{stage.part} cannot be exported: {last.removeprefix('error: ')}")
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1 << 20)
    say(f"{stage.part} done; the largest stage so far took {peak:.1f} GiB of memory")


def _write_embeddings(parts: Parts, path: Path) -> None:
    """Write the table that prompts are looked up in, as stored (Gemma's scaled)."""
    table = stored_safetensors(parts.path / WEIGHTS)[_EMBED]
    language_model = parts.config.language_model
    if language_model.family == "gemma":
        scale = language_model.hidden_size**0.5
        table = table.then(lambda rows: rows * rows.new_tensor(scale), *table.shape)
    write_weights({TABLE: table}, path)


def _library(runtime: Runtime) -> str:
    module = load({"openvino": "openvino", "onnx": "onnxruntime"}[runtime], runtime, "an export")
    return f"{module.__name__} {module.__version__.partition('-')[0]}"


def _finish(parts: Parts, staging: Path, manifest: Manifest) -> None:
    for name in (CONFIG, STATISTICS, TOKENIZER, EMBODIMENT, CAMERAS_FILE):
        if (parts.path / name).is_file():
            shutil.copy(parts.path / name, staging / name)
    text = json.dumps(manifest.model_dump(mode="json"), indent=2)
    (staging / MANIFEST).write_text(text + "\n", encoding="utf-8")
    hashes = {file.name: sha256(file) for file in sorted(staging.iterdir())}
    (staging / HASHES).write_text(json.dumps(hashes, indent=2) + "\n", encoding="utf-8")
