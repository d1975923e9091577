# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One screen before the first step of phase 1: conversations, network, cost and files."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from evla_ros.training.conversation_parts import ConversationParts
from evla_ros.training.opening_screen import counted, learned, place, screen
from evla_ros.training.pretrain_config import PretrainConfig
from evla_ros.training.progress import duration
from evla_ros.training.step_cost import Cost

_SCORED = 1 / 3  # of a step's time that scoring a batch takes, which needs no backward pass


def conversation_screen(
    config: PretrainConfig,
    parts: ConversationParts,
    cost: Cost,
    first_step: int,
    device: torch.device,
    best_means: str,
) -> str:
    """Return what a run is about to do; arguments as of `phase.Phase.screen`."""
    return screen(_rows(config, parts, cost, first_step, device, best_means))


def _rows(
    config: PretrainConfig,
    parts: ConversationParts,
    cost: Cost,
    first_step: int,
    device: torch.device,
    best_means: str,
) -> Iterator[tuple[str, str]]:
    held_out = f"; held out: {len(parts.held_out):,}" if parts.holds_out else "; nothing held out"
    yield "data", parts.contents + held_out
    encoder, image = parts.encoder, parts.model.config.image
    asked = "captions alone" if encoder.captions else repr(encoder.question)
    end = encoder.end.replace("\n", "a new line")
    yield (
        "text",
        (
            f"{asked}, answers end with "
            f"{end}; at most {encoder.longest} tokens; pictures {image.size} x {image.size} "
            f"pixels, {image.resize}, stand behind the first token"
        ),
    )
    origin = f"step {first_step} of this run" if first_step else parts.origin
    name = parts.model.config.name
    yield "weights", f"{name}, from {origin}".replace("from RANDOM", "RANDOM")
    yield "learned", f"stage {config.stage}: {learned(parts.model, 0)}"
    yield "arithmetic", f"{cost.arithmetic.why}{place(device)}"
    yield "memory", cost.memory.text()
    settings = config.optimizer
    left = settings.steps - first_step
    rounds = left * settings.batch / parts.samples
    begun = f", from step {first_step}" if first_step else ""
    text = f"{settings.steps}, of {counted(settings.batch, 'conversation')} each{begun}"
    text += f" ({rounds:.1f} times through the data), learning rate {settings.learning_rate:g}"
    scored = left / config.eval_every * config.eval_batches if parts.holds_out else 0.0
    seconds = (left + _SCORED * scored) * cost.step_s
    yield "steps", f"{text}; about {duration(seconds)} here"
    if parts.holds_out:
        batches = f"{config.eval_batches} batches of what is held out"
        yield "evaluation", f"every {config.eval_every} steps, {batches}; {best_means}"
    yield "files", f"{config.output}, saved every {config.save_every} steps; Ctrl-C saves and stops"
