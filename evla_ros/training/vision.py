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
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.model.config import EvlaConfig
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.presets import load_preset
from evla_ros.training import distributed
from evla_ros.training.config import OptimizerSettings
from evla_ros.training.errors import TrainingDataError, TrainingError
from evla_ros.training.sample import objects_at
from evla_ros.training.schedule import learning_rate
from evla_ros.training.source import Source

_REACH_M = 0.2


@dataclass(frozen=True)
class VisionConfig:
    """datasets: folders.

    Output: a new folder for `vision.safetensors`; camera: the one the places are of.
    """

    output: str
    datasets: tuple[str, ...]
    preset: str = "evla-nano"
    camera: str = "primary"
    seed: int = 0
    optimizer: OptimizerSettings = field(default_factory=OptimizerSettings)


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
    world = distributed.start()
    folder = Path(config.output)
    if (folder / "vision.safetensors").exists():
        raise TrainingError(f"{str(folder)!r} holds encoders already; choose another folder")
    sources = [Source(path, "train") for path in config.datasets]
    names = _names(sources)
    preset = load_preset(config.preset, cameras=[config.camera])
    torch.manual_seed(config.seed)
    backbones = EvlaModel(preset).backbones.to(world.device)
    probe = PatchProbe(preset.vision_width, len(names)).to(world.device)
    trained = [*backbones.parameters(), *probe.parameters()]
    optimizer = torch.optim.AdamW(trained, lr=1.0, weight_decay=0.01)
    settings, processor = config.optimizer, ImageProcessor(preset.image)
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(settings, step)
        images, *truth = _batch(config, sources, names, processor, preset, step, world)
        pixels = images.float() / 255
        features = torch.cat([backbone(pixels) for backbone in backbones], dim=-1)
        losses = probe(features, *truth)
        loss = losses["patch"] + losses["offset"] + losses["place"]
        optimizer.zero_grad()
        (loss / world.ranks).backward()
        distributed.share_gradients(world, trained)
        nn.utils.clip_grad_norm_(trained, settings.clip_norm)
        optimizer.step()
        if world.is_main and (step % 50 == 49 or step == settings.steps - 1):
            _report(
                folder, step + 1, losses, (step + 1) * settings.batch, time.monotonic() - started
            )
    path = folder / "vision.safetensors"
    if world.is_main:
        save_file({k: p.detach().contiguous() for k, p in backbones.named_parameters()}, path)
    world.barrier()
    distributed.stop(world)
    return path


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
