# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks build`: `evla build` of full-size parts against reading and writing them.

The parts have random weights and the shapes of their preset; about 7 GB are written and removed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from evla_ros.bench.report import Printed, Row
from evla_ros.options import Option

if TYPE_CHECKING:
    import torch

    from evla_ros.model.config import BackboneConfig, EvlaConfig

EXAMPLES = "example: python -m benchmarks build --preset evla-1b --repeat 3 --json"
_BLOCK = 1 << 24
_COMMAND = (
    "import sys; from evla_ros.cli.main import main; code = main(sys.argv[1:]); "
    "print('PEAK', *[l.split()[1] for l in open('/proc/self/status') if l[:5] == 'VmHWM'])"
    "; sys.exit(code)"
)


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """Which parts, and how often."""

    preset: Annotated[str, Option("architecture of the parts (a Qwen2 one)")] = "evla-1b"
    repeat: Annotated[int, Option("runs of which the best counts", "N", least=1)] = 3


def rows(options: Options) -> Iterable[Row]:
    """Measure the command as a user runs it, and the bare bytes, in turns."""
    from evla_ros.model.presets import load_preset

    preset = load_preset(options.preset)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = _write_parts(preset, folder)
        files = [file for part in parts.values() for file in part.glob("*.safetensors")]
        command = [f"--{kind}={part}" for kind, part in parts.items()]
        bare, build, start, peak, size = [], [], [], 0.0, 0
        for _ in range(options.repeat):
            out = folder / "out"
            _forget(files)
            began = _clocks()
            said = _run(_COMMAND, "build", str(out), f"--preset={options.preset}", *command)
            build.append(_since(began))
            peak = max(peak, int(said.rsplit("PEAK", 1)[1]) * 1024)
            size = (out / "model.safetensors").stat().st_size
            _remove(out)
            began = _clocks()
            _run("import evla_ros.model.from_parts.assembly")
            start.append(_since(began))
            _forget(files)
            began = _clocks()
            _copy(files, folder / "bare", size)
            bare.append(_since(began))
            (folder / "bare").unlink()
        read = sum(file.stat().st_size for file in files)
    context = {"preset": options.preset, "read_gb": read / 1e9, "written_gb": size / 1e9}
    for at, name in enumerate(("build.s", "build.cpu_s")):
        best, floor = (min(times[at] for times in runs) for runs in (build, bare))
        yield Row(name, best, "s", floor=floor, goal=2 * floor, context=context)
    yield Row("build.start_s", min(start)[0], "s", context={"what": "loading the libraries"})
    yield Row("build.peak_gb", peak / 1e9, "GB", goal=1.2 * size / 1e9, context=context)


def _write_parts(preset: EvlaConfig, folder: Path) -> dict[str, Path]:
    """Write both towers in float32 and the language model in bfloat16, as they are published."""
    import torch
    from transformers import (
        Dinov2WithRegistersConfig,
        Dinov2WithRegistersModel,
        Qwen2Config,
        Qwen2ForCausalLM,
        SiglipVisionConfig,
        SiglipVisionModel,
    )

    from evla_ros.model.text_tokenizer import train_tokenizer

    dino, siglip, llm = *preset.backbones, preset.language_model
    side = {"image_size": preset.image.size}
    with torch.device("meta"):
        models: dict[str, Any] = {
            "dinov2": Dinov2WithRegistersModel(
                Dinov2WithRegistersConfig(
                    **_tower(dino), **side, num_register_tokens=dino.register_tokens
                )
            ),
            "siglip": SiglipVisionModel(
                SiglipVisionConfig(**_tower(siglip), **side, intermediate_size=siglip.mlp_size)
            ),
            "language-model": Qwen2ForCausalLM(
                Qwen2Config(
                    vocab_size=llm.vocabulary_rows,
                    hidden_size=llm.hidden_size,
                    num_hidden_layers=llm.layers,
                    num_attention_heads=llm.heads,
                    num_key_value_heads=llm.key_value_heads,
                    intermediate_size=llm.mlp_size,
                    rms_norm_eps=llm.norm_eps,
                    rope_parameters={"rope_type": "default", "rope_theta": llm.rope_theta},
                    max_position_embeddings=llm.max_positions,
                    tie_word_embeddings=llm.tie_embeddings,
                )
            ),
        }
    parts = {}
    for kind, model in models.items():
        parts[kind] = folder / kind
        parts[kind].mkdir()
        model.config.save_pretrained(parts[kind])
        dtype = torch.bfloat16 if kind == "language-model" else torch.float32
        _write_random(dict(model.named_parameters()), parts[kind] / "model.safetensors", dtype)
    words = ["put the cup on the table"] * 3
    train_tokenizer(words, 300).save(str(parts["language-model"] / "tokenizer.json"))
    return parts


def _tower(backbone: BackboneConfig) -> dict[str, int]:
    return {
        "hidden_size": backbone.hidden_size,
        "num_hidden_layers": backbone.depth,
        "num_attention_heads": backbone.heads,
        "patch_size": backbone.patch_size,
    }


def _write_random(tensors: Mapping[str, torch.Tensor], path: Path, dtype: torch.dtype) -> None:
    """Write tensors of these shapes, one at a time in memory."""
    from evla_ros.model.stored import Stored
    from evla_ros.model.weight_writer import write_weights

    write_weights(
        {
            name: Stored(tuple(t.shape), dtype, partial(_drawn, t.shape), name)
            for name, t in tensors.items()
        },
        path,
        dtype,
    )


def _drawn(shape: torch.Size) -> torch.Tensor:
    import torch

    return torch.empty(shape).normal_(std=0.02)


def _run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def _clocks() -> tuple[float, float]:
    """Return the time, and the processor time of this process and of those that it ran."""
    return time.perf_counter(), sum(os.times()[:4])


def _since(began: tuple[float, float]) -> tuple[float, float]:
    now = _clocks()
    return now[0] - began[0], now[1] - began[1]


def _forget(files: list[Path]) -> None:
    """Let the files be read from the disk again, and the disk be idle."""
    os.sync()
    for file in files:
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _copy(files: list[Path], target: Path, size: int) -> None:
    """Read all files, and write `size` bytes of what was read."""
    with target.open("wb", buffering=0) as out:
        for block in _blocks(files):
            out.write(block[: max(0, size - out.tell())])


def _blocks(files: list[Path]) -> Iterator[memoryview]:
    buffer = bytearray(_BLOCK)
    for file in files:
        with file.open("rb", buffering=0) as opened:
            while count := opened.readinto(buffer):
                yield memoryview(buffer)[:count]


def _remove(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
