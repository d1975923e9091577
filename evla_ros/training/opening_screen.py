# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One screen before the first step: the data, the robot, the network, the cost and the files."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

import torch

from evla_ros.data.rlds.dataset_info import format_version
from evla_ros.embodiment import action_layout
from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.config import TrainConfig
from evla_ros.training.parts import Parts
from evla_ros.training.progress import duration
from evla_ros.training.reporting import BEST_MEANS
from evla_ros.training.samples.source import Source
from evla_ros.training.step_cost import Cost

_LABEL, _WIDTH = 12, 100
_FORWARD_SHARE = 1 / 3  # of a step's time that scoring a batch takes, which needs no backward pass
_PARTS = {
    "backbones": "vision",
    "projector": "projector",
    "language_model": "language model",
    "proprio": "proprio layer",
    "slot_embedding": "action slots",
    "l1_head": "continuous head",
}


def opening_screen(
    config: TrainConfig, parts: Parts, cost: Cost, first_step: int, device: torch.device
) -> str:
    """Return what a run is about to do.

    Args:
        config: The settings, with a learning rate.
        parts: The opened data and the network.
        cost: What was measured.
        first_step: Steps taken before this start.
        device: Where the steps are computed.
    """
    rows = [
        *_data(parts),
        *_robot(parts),
        *_network(config, parts, first_step),
        ("arithmetic", f"{cost.arithmetic.why}{place(device)}"),
        ("memory", cost.memory.text()),
        *_schedule(config, parts, cost, first_step),
    ]
    return screen(rows)


def screen(rows: Iterable[tuple[str, str]]) -> str:
    """Return labels and texts as lines of one screen's width."""
    return "\n".join(_wrapped(label, text) for label, text in rows)


def _data(parts: Parts) -> Iterator[tuple[str, str]]:
    held_out = {source.name: source for source in parts.val}
    whole = sum(source.weight * len(source) for source in parts.train)
    for source in parts.train:
        share = source.weight * len(source) / whole
        yield "dataset", _dataset(source, held_out.get(source.name), share)


def _dataset(source: Source, held_out: Source | None, share: float) -> str:
    weight = "" if source.weight == 1 else f", weight {source.weight:g}"
    weight += "" if share == 1 else f", {100 * share:.3g} % of the samples"
    kept = f"held out: {_count(held_out)}" if held_out else "nothing held out"
    instructions = counted(len(source.instructions()), "instruction")
    version = format_version(source.dataset.info.version)
    return (
        f"{source.name} {version}: {_count(source)}, {instructions}{weight}; {kept}; read as "
        f"{source.transform_name}"
    )


def _count(source: Source) -> str:
    return f"{counted(source.episode_count, 'episode')}, {counted(len(source), 'step')}"


def _robot(parts: Parts) -> Iterator[tuple[str, str]]:
    robot, config = parts.robot, parts.model.config
    if robot is None:
        text = "not known: no dataset holds an embodiment.yaml; embodiment=FILE names it"
        yield "robot", text
    else:
        yield "robot", f"{robot.name} (hash {robot.content_hash[:12]}), {robot.rate_hz:g} Hz"
    image = config.image
    served = "the centre of each picture (90 %)" if image.center_crop else "whole pictures"
    pixels = f"{image.size} x {image.size} pixels, {image.resize}; served {served}"
    yield "cameras", f"{', '.join(image.cameras)}: {pixels}"
    reads = f"{config.proprio_dim} numbers" if config.proprio_dim else "nothing"
    if robot and config.proprio_dim:
        reads += f" ({', '.join(robot.proprio)})"
    yield "proprio", reads
    action = config.action
    names = ", ".join(parts.action_names)
    if robot:
        layout = action_layout(robot)
        names = ", ".join(f"{n} [{u}]" for n, u in zip(layout.names, layout.units, strict=True))
    yield "actions", f"chunks of {action.chunk} x {action.dim}: {names}"


def _network(config: TrainConfig, parts: Parts, first_step: int) -> Iterator[tuple[str, str]]:
    model = parts.model
    origin = f"step {first_step} of this run" if first_step else parts.origin
    yield "weights", f"{model.config.name}, from {origin}".replace("from RANDOM", "RANDOM")
    yield "learned", learned(model, config.lora.rank)


def learned(model: EvlaModel, rank: int) -> str:
    """Return how many parameters are trained, and which parts are frozen."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    total = sum(p.numel() for p in model.parameters())
    if rank:
        adapters = f"{_millions(trained)} parameters of adapters (rank {rank})"
        return f"{adapters}; {_millions(total - trained)} frozen"
    frozen = []
    for name, part in model.named_children():
        if count := sum(p.numel() for p in part.parameters() if not p.requires_grad):
            share = "part of " if any(p.requires_grad for p in part.parameters()) else ""
            frozen.append(f"{share}{_PARTS.get(name, name)} {_millions(count)}")
    listed = ", ".join(frozen) or "nothing"
    return f"{_millions(trained)} of {_millions(total)} parameters; frozen: {listed}"


def _schedule(
    config: TrainConfig, parts: Parts, cost: Cost, first_step: int
) -> Iterator[tuple[str, str]]:
    settings = config.optimizer
    left = settings.steps - first_step
    rounds = left * settings.batch / sum(len(source) for source in parts.train)
    begun = f", from step {first_step}" if first_step else ""
    text = f"{settings.steps}, of {counted(settings.batch, 'sample')} each{begun}"
    text += f" ({rounds:.1f} times through the data), learning rate {settings.learning_rate:g}"
    scored = left / config.eval_every * config.eval_batches if parts.val else 0.0
    seconds = (left + _FORWARD_SHARE * scored) * cost.step_s
    yield "steps", f"{text}; about {duration(seconds)} here"
    if parts.val:
        batches = f"{config.eval_batches} batches of what is held out"
        yield "evaluation", f"every {config.eval_every} steps, {batches}; {BEST_MEANS}"
    yield "files", f"{config.output}, saved every {config.save_every} steps; Ctrl-C saves and stops"


def counted(number: int, noun: str) -> str:
    """Return `1 step` or `1,620 steps`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def place(device: torch.device) -> str:
    """Return the name of a GPU behind a semicolon; empty for a CPU."""
    return f"; {torch.cuda.get_device_name(device)}" if device.type == "cuda" else ""


def _millions(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count >= 1e9 else f"{count / 1e6:.2f} M"


def _wrapped(label: str, text: str) -> str:
    return textwrap.fill(
        text,
        _WIDTH,
        initial_indent=f"{label:<{_LABEL}}",
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
        break_long_words=False,
    )
