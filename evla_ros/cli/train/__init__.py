# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train finetune|pretrain|nano|...`: pretrain or fine-tune a policy."""

from __future__ import annotations

from evla_ros.cli.commands import Commands

_SUMMARIES = {
    "finetune": "phase 2: actions from RLDS datasets",
    "pretrain": "phase 1: next-token loss on images and conversations (LLaVA-style JSON)",
    "captions": "make phase 1 conversations from simulated scenes",
    "nano": "a small policy of a simulated robot, from nothing to a checkpoint",
    "metaworld": "a small policy for Meta-World's 50 tasks, from nothing to its score",
    "collect": "simulated demonstrations with counterfactual labels, as an RLDS dataset",
    "compare": "joint against autoregressive decoding: same data, seeds and budget",
    "adapt": "another robot from few demonstrations: success against their number and from scratch",
    "vision": "pretrain the encoders of evla-nano on where things are",
}
COMMANDS = Commands(
    "evla train",
    "training",
    __name__,
    _SUMMARIES,
    ["evla train nano outputs/nano", "evla train finetune --help"],
)
