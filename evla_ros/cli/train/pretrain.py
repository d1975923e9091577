# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train pretrain`: phase 1, conversations about pictures."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated, Literal

from evla_ros.options import Option

EXAMPLES = """examples:
  evla train captions outputs/captions --scenes 500
  evla train pretrain --data outputs/captions/captions.json output=outputs/vlm vision=true
  evla train pretrain config/training/evla_1b_align.yaml --start outputs/evla-1b
  evla train pretrain config/training/evla_1b_vlm.yaml --start outputs/evla_1b_align/last
  evla train pretrain outputs/vlm --resume
  torchrun --nproc-per-node 8 -m evla_ros.training.pretrain config/training/evla_1b_vlm.yaml

The conversations are LLaVA-style JSON: `conversations` of `human` and `gpt`, and an `image`,
several or none. Stage align learns the projector alone, finetune the language model too,
vision=true the encoders as well. Without output=DIR the run lies in outputs/, under the name of the
file."""


@dataclass(frozen=True)
class Options:
    """What is learned from, what the network begins with, and settings that differ."""

    words: Annotated[
        tuple[str, ...],
        Option(
            "a YAML file, or with --resume the run folder; then settings to change",
            "CONFIG|RUN key.sub=value",
            positional=True,
            unset="none",
        ),
    ] = ()
    data: Annotated[
        tuple[str, ...],
        Option(
            "LLaVA-style; again for each further one", "JSON", unset="the file's", repeated=True
        ),
    ] = ()
    images: Annotated[
        str, Option("with --data: of the pictures", "DIR", unset="beside the JSON")
    ] = ""
    stage: Annotated[
        Literal["align", "finetune"] | None,
        Option("the projector alone, or the language model too", unset="the file's, or finetune"),
    ] = None
    start: Annotated[
        str, Option("begin with these weights", "CHECKPOINT", unset="random ones, or the file's")
    ] = ""
    resume: Annotated[bool, Option("go on where a stopped or killed run was")] = False
    threads: Annotated[
        int, Option("CPU threads", "T", least=0, unset="all or one, as measured")
    ] = 0


def run(options: Options) -> int:
    """Train; print the folder of the run."""
    import torch

    from evla_ros.training.pretrain import PretrainRequest, pretrain, requested_pretraining

    if options.threads:
        os.environ["OMP_NUM_THREADS"] = str(options.threads)  # for worker processes too
        torch.set_num_threads(options.threads)
    request = PretrainRequest(
        options.words,
        options.data,
        options.images,
        options.stage or "",
        options.start,
        options.resume,
    )
    print(pretrain(requested_pretraining(request), resume=options.resume))
    return 0
