# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A short pretraining of the small encoders: which patch shows each named thing.

Phase 1 of `evla-nano` in the simulator's terms; minutes on one core. Data needs the `object_*`
columns.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.config import EvlaConfig
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.presets import load_preset
from evla_ros.training import distributed
from evla_ros.training.checkpointing import load_state, save_state
from evla_ros.training.config import OptimizerSettings
from evla_ros.training.ema import Ema
from evla_ros.training.errors import TrainingDataError, TrainingError
from evla_ros.training.memory_reuse import keep_freed_memory
from evla_ros.training.samples.sample import objects_at
from evla_ros.training.samples.source import Source
from evla_ros.training.schedule import learning_rate

REPORT_EVERY, SAVE_EVERY = 50, 200
_REACH_M = 0.2


@dataclass(frozen=True)
class VisionConfig:
    """datasets: folders.

    Output: a new folder for `vision.safetensors`; camera: the one the places are of. start: a
    checkpoint whose encoders to go on from ('': the preset's, afresh).
    """

    output: str
    datasets: tuple[str, ...]
    preset: str = "evla-nano"
    camera: str = "primary"
    seed: int = 0
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)
    start: str = ""


class PatchProbe(nn.Module):
    """Per patch and thing: a score, an offset in the patch and the distance from the tool."""

    def __init__(self, width: int, things: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.score, self.place = nn.Linear(width, things), nn.Linear(width, things * 5)

    def forward(
        self, features: Tensor, target: Tensor, point: Tensor, seen: Tensor
    ) -> dict[str, Tensor]:
        """Features [B, P, V], target [B, N], point [B, N, 5], seen [B, N] -> losses."""
        hidden = self.norm(features)
        score = self.score(hidden).transpose(1, 2)  # [B, N, P]
        b, n = seen.nonzero(as_tuple=True)
        there = self.place(hidden[b, target[b, n]]).unflatten(-1, (-1, 5))
        guess = there[torch.arange(len(n)), n]
        wanted = point[b, n]
        return {
            "patch": functional.cross_entropy(score[b, n], target[b, n]),
            "offset": functional.l1_loss(guess[:, :2], wanted[:, :2]),
            "place": functional.l1_loss(guess[:, 2:], wanted[:, 2:] / _REACH_M),
            "right": (score[b, n].argmax(-1) == target[b, n]).float().mean().detach(),
        }


def pretrain_vision(config: VisionConfig) -> Path:
    """Train the encoders and return the path of `vision.safetensors`."""
    keep_freed_memory()
    world = distributed.start()
    folder = Path(config.output)
    path = folder / "vision.safetensors"
    if path.exists():
        raise TrainingError(f"{str(folder)!r} holds encoders already; choose another folder")
    try:
        run = _Run(config, world)
        run.loop()
        if world.is_main:
            save_file({k: p.detach().contiguous() for k, p in run.weights()}, path)
        world.barrier()
    finally:
        distributed.stop(world)
    return path


class _Run:
    """Encoders and probe, and the steps that are still to take."""

    def __init__(self, config: VisionConfig, world: distributed.World) -> None:
        self.config, self.world, self.folder = config, world, Path(config.output)
        self.sources = [Source(path, "train") for path in config.datasets]
        self.names = _names(self.sources)
        torch.manual_seed(config.seed)
        model = _model(config)
        self.preset, backbones = model.config, model.backbones.to(world.device)
        probe = PatchProbe(self.preset.vision_width, len(self.names)).to(world.device)
        self.modules: dict[str, nn.Module] = {"backbones": backbones, "probe": probe}
        self.trained = [p for module in self.modules.values() for p in module.parameters()]
        self.optimizer = torch.optim.AdamW(self.trained, lr=1.0, weight_decay=0.01)
        self.processor = ImageProcessor(self.preset.image)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.average = Ema(backbones, 0.0)
        facts = load_state(self.folder, self.modules, self.optimizer, self.average)
        self.first_step = int(facts["step"]) if facts else 0

    def weights(self) -> Iterable[tuple[str, nn.Parameter]]:
        """Return the encoders' parameters by name."""
        return self.modules["backbones"].named_parameters()

    def loop(self) -> None:
        """Take the remaining steps; save the state on the way, so that a killed run goes on."""
        settings = self.config.optimizer
        started, before = time.monotonic(), self.first_step
        for step in range(self.first_step, settings.steps):
            losses = self.step(step)
            done = step + 1
            if self.world.is_main and (done % REPORT_EVERY == 0 or done == settings.steps):
                samples, seconds = (done - before) * settings.batch, time.monotonic() - started
                _report(self.folder, done, losses, samples, seconds)
            if self.world.is_main and done % SAVE_EVERY == 0:
                state = (self.modules, self.optimizer, self.average)
                save_state(self.folder, done, *state, {})

    def step(self, step: int) -> dict[str, Tensor]:
        """One optimiser step over this rank's share; returns its losses."""
        settings = self.config.optimizer
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(settings, step)
        images, *truth = _batch(
            self.config, self.sources, self.names, self.processor, self.preset, step, self.world
        )
        pixels = images.float() / 255
        backbones: Any = self.modules["backbones"]
        features = torch.cat([backbone(pixels) for backbone in backbones], dim=-1)
        losses: dict[str, Tensor] = self.modules["probe"](features, *truth)
        loss = losses["patch"] + losses["offset"] + losses["place"]
        self.optimizer.zero_grad()
        (loss / self.world.ranks).backward()  # type: ignore[no-untyped-call]
        distributed.share_gradients(self.world, self.trained)
        nn.utils.clip_grad_norm_(self.trained, settings.clip_norm)
        self.optimizer.step()
        return losses


def _model(config: VisionConfig) -> EvlaModel:
    if config.start:
        return load_checkpoint(config.start).model.train()
    return EvlaModel(load_preset(config.preset, cameras=[config.camera]))


def _batch(
    config: VisionConfig,
    sources: Sequence[Source],
    names: Sequence[str],
    processor: ImageProcessor,
    preset: EvlaConfig,
    step: int,
    world: distributed.World,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    size, side = (
        config.optimizer.batch // world.ranks,
        preset.image.size // preset.backbones[0].patch_size,
    )
    images, points = [], np.full((size, len(names), 5), -1.0, dtype=np.float32)
    for i in range(size):
        rng = np.random.default_rng([config.seed, step, world.rank, i])
        source = sources[int(rng.integers(len(sources)))]
        index, moment = source.locate(int(rng.integers(len(source))))
        episode = source.episode(index)
        images.append(
            processor.process(
                config.camera, episode.episode.image(episode.cameras[config.camera], moment)
            )
        )
        for name, point in objects_at(episode, moment).items():
            points[i, names.index(name)] = point
            if episode.proprio is not None:
                points[i, names.index(name), 2:] -= episode.proprio[moment, :3]
    point = torch.from_numpy(points)
    seen = point[..., 0] >= 0
    cell = (point[..., :2] * side).floor().clamp(0, side - 1)
    target = (cell[..., 1] * side + cell[..., 0]).long()
    point[..., :2] = point[..., :2] * side - cell
    return tuple(t.to(world.device) for t in (torch.stack(images), target, point, seen))  # type: ignore[return-value]


def _names(sources: Sequence[Source]) -> tuple[str, ...]:
    for source in sources:
        names = str(source.episode(0).episode.metadata.get("object_names", ""))
        if not names:
            raise TrainingDataError(
                f"dataset {source.name!r} does not say where things are (no `object_names`); "
                "collect one with `evla train collect`"
            )
    return tuple(names.split("|"))


def _report(
    folder: Path, step: int, losses: dict[str, Tensor], samples: int, seconds: float
) -> None:
    entry = {
        "step": step,
        **{k: round(float(v.detach()), 4) for k, v in losses.items()},
        "samples_per_s": round(samples / seconds, 1),
    }
    with (folder / "vision.jsonl").open("a") as file:
        file.write(json.dumps(entry) + "\n")
    print("  ".join(f"{k} {v}" for k, v in entry.items()), file=sys.stderr, flush=True)
