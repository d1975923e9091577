# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla build OUT`: a checkpoint from pretrained parts, ready to be trained on a robot's data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.options import Option

EXAMPLES = """examples:
  evla build evla-1b --preset evla-1b --dinov2 dinov2-with-registers-large \\
      --siglip siglip-so400m-patch14-224 --language-model Qwen2-0.5B
  evla build evla-smol --preset evla-smollm2-135m --language-model SmolLM2-135M.Q4_1.gguf
  evla build base --language-model prism/checkpoints/latest-checkpoint.pt \\
      --tokenizer tokenizer.json --preset evla-qwen2.5-0.5b --dinov2 DIR --siglip DIR"""
_PART = "DIR|FILE"


@dataclass(frozen=True)
class Options:
    """Which parts, and where the checkpoint goes."""

    out: Annotated[Path, Option("folder to write; must not exist", positional=True)]
    language_model: Annotated[
        str, Option("Hugging Face folder, .gguf, Prismatic .pt, or hub:ORG/NAME", _PART)
    ]
    dinov2: Annotated[
        str, Option("Hugging Face folder, timm weights, or hub:ORG/NAME", _PART, unset="random")
    ] = ""
    siglip: Annotated[
        str, Option("Hugging Face folder, timm weights, or hub:ORG/NAME", _PART, unset="random")
    ] = ""
    preset: Annotated[
        str, Option("architecture that the parts are checked against", unset="the parts' own sizes")
    ] = ""
    tokenizer: Annotated[
        Path | None,
        Option("tokenizer.json, or Qwen's .tiktoken ranks", unset="the language model's own"),
    ] = None
    projector: Annotated[
        str, Option("safetensors or Prismatic .pt", "FILE", unset="the .pt's own, or random")
    ] = ""
    image_size: Annotated[
        int, Option("side of the pictures", "PIXELS", least=1, unset="the preset's or the SigLIP's")
    ] = 0
    dtype: Annotated[
        Literal["fp32", "bf16", "fp16"] | None,
        Option("of the written weights", unset="the language model's"),
    ] = None
    seed: Annotated[int, Option("of everything that is drawn", "N", least=0)] = 0


def run(options: Options) -> int:
    """Build, and say where each part came from."""
    from evla_ros.model.errors import CheckpointError
    from evla_ros.model.from_parts.assembly import RANDOM, Parts, assemble, write_assembly
    from evla_ros.model.predictor import DTYPES

    if options.out.exists():
        raise CheckpointError(f"{str(options.out)!r} exists; choose another folder")
    assembly = assemble(
        Parts(
            language_model=options.language_model,
            preset=options.preset,
            dinov2=options.dinov2,
            siglip=options.siglip,
            tokenizer=options.tokenizer,
            projector=options.projector,
            image_size=options.image_size,
            seed=options.seed,
        )
    )
    width = max(len(part) for part, _ in assembly.report)
    for part, where in assembly.report:
        print(f"{part:<{width}}  {where}")
    dtype = DTYPES[options.dtype] if options.dtype else None
    target = write_assembly(assembly, options.out, dtype)
    drawn = [part for part, where in assembly.report if where.startswith(RANDOM)]
    if drawn:
        print(f"{RANDOM} and to be learned: {', '.join(drawn)}")
    print(f"wrote {target}; next: evla train finetune with model.start: {target}")
    return 0
