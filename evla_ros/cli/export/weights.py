# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla export SOURCE TARGET`: published weights, or a checkpoint, as a checkpoint folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.errors import EvlaError
from evla_ros.options import Option

EXAMPLES = """examples:
  evla export evla/checkpoints/latest-checkpoint.pt evla-1b --tokenizer qwen.tiktoken
  evla export openvla-7b-hf openvla-7b --dtype bf16
  evla export outputs/lift/last lift-bf16 --dtype bf16
  evla export openvla-7b-hf openvla-bridge --statistics bridge_orig
  evla export openvla-7b-oft-finetuned-libero-spatial libero --chunk 8 --cameras primary wrist"""


@dataclass(frozen=True)
class Options:
    """From what to what."""

    source: Annotated[
        Path,
        Option("a Prismatic/EVLA .pt, an OpenVLA folder, or a checkpoint folder", positional=True),
    ]
    target: Annotated[Path, Option("folder to write; must not exist", positional=True)]
    tokenizer: Annotated[
        Path | None, Option("tokenizer.json, or Qwen's .tiktoken ranks", unset="beside the weights")
    ] = None
    statistics: Annotated[
        str | None,
        Option(
            "the one dataset to keep of several, or a dataset_statistics.json",
            metavar="NAME|FILE",
            unset="all beside the weights",
        ),
    ] = None
    architecture: Annotated[
        Path | None,
        Option("JSON of what shapes cannot tell (head counts, rope)", unset="as published"),
    ] = None
    chunk: Annotated[
        int, Option("of a fine-tune by OpenVLA-OFT: steps of its chunk", "N", least=1, unset="ask")
    ] = 0
    cameras: Annotated[
        tuple[str, ...],
        Option("of such a fine-tune: its cameras, in order", "NAME", unset="ask"),
    ] = ()
    normalization: Annotated[
        Literal["q99", "min_max"] | None,
        Option("of such a fine-tune's numbers", unset="min_max for 14 numbers, q99 otherwise"),
    ] = None
    base: Annotated[
        Path | None,
        Option(
            "OpenVLA folder that such a fine-tune's adapters belong to",
            "DIR",
            unset="the weights are merged",
        ),
    ] = None
    crop: Annotated[
        Literal["center", "none"] | None,
        Option(
            "what is served of each picture; center for weights trained with random crops",
            unset="none; of OpenVLA-OFT center",
        ),
    ] = None
    push: Annotated[
        str | None,
        Option(
            "send what was written to this repository of the hub too",
            "OWNER/NAME",
            unset="nothing is sent",
        ),
    ] = None
    licence: Annotated[
        str, Option("of what is pushed: such as apache-2.0; none", unset="asked")
    ] = ""
    public: Annotated[bool, Option("a repository that is made can be read by everybody")] = False
    dtype: Annotated[
        Literal["fp32", "bf16", "fp16"] | None,
        Option("of the written weights", unset="as they are"),
    ] = None


def run(options: Options) -> int:
    """Convert and print where it is."""
    from evla_ros.data.hub.checkpoints import push_checkpoint
    from evla_ros.data.hub.client import check_licence, check_repo
    from evla_ros.model.conversion import convert
    from evla_ros.model.oft_parts import OftSettings
    from evla_ros.model.predictor import DTYPES
    from evla_ros.reading.text_files import read_json_object

    if options.push is not None:  # before the work, not after it
        check_repo(options.push)
        check_licence(options.licence)
    elif options.licence or options.public:
        raise EvlaError("--licence and --public have no effect without --push OWNER/NAME")
    target = convert(
        options.source,
        options.target,
        tokenizer=options.tokenizer,
        statistics=options.statistics,
        dtype=DTYPES[options.dtype] if options.dtype else None,
        architecture=read_json_object(options.architecture) if options.architecture else None,
        oft=OftSettings(options.chunk, options.cameras, options.normalization, options.base),
        crop=options.crop,
        say=print,
    )
    print(f"wrote {target}")
    if options.push is not None:
        sent = push_checkpoint(target, options.push, options.licence, public=options.public)
        print(f"sent: {sent}")
    print(f"next: evla run policy --embodiment MY_ROBOT.yaml --set checkpoint={target} shadow=true")
    return 0
