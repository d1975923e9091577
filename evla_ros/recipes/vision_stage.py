# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A short pretraining of the small encoders: they learn which patch shows each named thing.

It takes minutes on one core. The datasets need the columns `object_pixels` and `object_positions`,
which `evla train collect` writes.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from evla_ros.errors import nearest
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.presets import load_preset
from evla_ros.model.safe_files import write_safetensors
from evla_ros.recipes.vision_config import VisionConfig
from evla_ros.training import distributed
from evla_ros.training.checkpointing import load_state, save_state
from evla_ros.training.ema import Ema
from evla_ros.training.errors import TrainingDataError, TrainingError
from evla_ros.training.initial_model.from_preset import DEFAULT_PRESET
from evla_ros.training.memory_reuse import keep_freed_memory
from evla_ros.training.samples.sample import objects_at, pixels_column
from evla_ros.training.samples.source import Source
from evla_ros.training.schedule import learning_rate

REPORT_EVERY, SAVE_EVERY = 50, 200
_REACH_M = 0.2


class PatchProbe(nn.Module):
    """Reads from patch features where things are: which patch, where in it, how far from the tool.

    Args:
        width: channels of a patch (V).
        things: how many things have a name (N).
    """

    def __init__(self, width: int, things: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.score, self.place = nn.Linear(width, things), nn.Linear(width, things * 5)

    def forward(
        self, features: Tensor, target: Tensor, point: Tensor, seen: Tensor
    ) -> dict[str, Tensor]:
        """Return the losses, and the share of things whose patch is found (`right`).

        Args:
            features: [B, P, V] features of the P patches of each image.
            target: [B, N] number of the patch that shows each thing.
            point: [B, N, 5] right and down within that patch in [0, 1), then x y z from the tool in
                metres.
            seen: [B, N] whether a thing is in the picture; others do not count.
        """
        hidden = self.norm(features)
        score = self.score(hidden).transpose(1, 2)  # [B, N, P]
        b, n = seen.nonzero(as_tuple=True)
        there = self.place(hidden[b, target[b, n]]).unflatten(-1, (-1, 5))
        guess = there[torch.arange(len(n)), n]
        expected = point[b, n]
        return {
            "patch": functional.cross_entropy(score[b, n], target[b, n]),
            "offset": functional.l1_loss(guess[:, :2], expected[:, :2]),
            "place": functional.l1_loss(guess[:, 2:], expected[:, 2:] / _REACH_M),
            "right": (score[b, n].argmax(-1) == target[b, n]).float().mean().detach(),
        }


def pretrain_vision(config: VisionConfig) -> Path:
    """Train the encoders, on several ranks where this process is one of several.

    Returns:
        The path of `vision.safetensors`.

    Raises:
        TrainingError: the folder holds encoders already, or the settings exclude each other.
        TrainingDataError: a dataset does not say where things are.
    """
    keep_freed_memory()
    group = distributed.start()
    folder = config.output
    path = folder / "vision.safetensors"
    if path.exists():
        raise TrainingError(f"{str(folder)!r} holds encoders already; choose another folder")
    try:
        run = _Run(config, group)
        run.loop()
        if group.is_main:
            write_safetensors(dict(run.weights()), path)
        group.barrier()
    finally:
        distributed.stop(group)
    return path


class _Run:
    """Encoders, probe and optimiser of one run, which goes on from its last saved state."""

    def __init__(self, config: VisionConfig, group: distributed.ProcessGroup) -> None:
        self.config, self.group, self.folder = config, group, config.output
        self.sources = [Source(path, "train") for path in config.datasets]
        self.names = _names(self.sources, config.cameras)
        torch.manual_seed(config.seed)
        model = _model(config)
        self.preset, backbones = model.config, model.backbones.to(group.device)
        probe = PatchProbe(self.preset.vision_width, len(self.names)).to(group.device)
        self.modules: dict[str, nn.Module] = {"backbones": backbones, "probe": probe}
        self.trained = [p for module in self.modules.values() for p in module.parameters()]
        self.optimizer = torch.optim.AdamW(self.trained, lr=1.0, weight_decay=0.01)
        self.processor = ImageProcessor(self.preset.image)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.average = Ema(backbones, 0.0)
        metadata = load_state(self.folder, self.modules, self.optimizer, self.average)
        self.first_step = int(metadata["step"]) if metadata else 0

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
            if self.group.is_main and (done % REPORT_EVERY == 0 or done == settings.steps):
                samples, seconds = (done - before) * settings.batch, time.monotonic() - started
                _report(self.folder, done, losses, samples, seconds)
            if self.group.is_main and done % SAVE_EVERY == 0:
                state = (self.modules, self.optimizer, self.average)
                save_state(self.folder, done, *state, {})

    def step(self, step: int) -> dict[str, Tensor]:
        """One optimiser step over this rank's share; returns its losses."""
        settings = self.config.optimizer
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(settings, step)
        images, *truth = self._batch(step)
        pixels = images.float() / 255
        backbones: Any = self.modules["backbones"]
        features = torch.cat([backbone(pixels) for backbone in backbones], dim=-1)
        losses: dict[str, Tensor] = self.modules["probe"](features, *truth)
        loss = losses["patch"] + losses["offset"] + losses["place"]
        self.optimizer.zero_grad()
        (loss / self.group.ranks).backward()  # type: ignore[no-untyped-call]
        distributed.share_gradients(self.group, self.trained)
        nn.utils.clip_grad_norm_(self.trained, settings.clip_norm)
        self.optimizer.step()
        return losses

    def _batch(self, step: int) -> list[Tensor]:
        """Draw this rank's samples of a step: images [B, 3, S, S] and what `PatchProbe` takes."""
        side = self.preset.image.size // self.preset.backbones[0].patch_size
        size = self.config.optimizer.batch // self.group.ranks
        images, points = [], np.full((size, len(self.names), 5), -1.0, dtype=np.float32)
        for i in range(size):
            rng = np.random.default_rng([self.config.seed, step, self.group.rank, i])
            source = self.sources[int(rng.integers(len(self.sources)))]
            index, moment = source.locate(int(rng.integers(len(source))))
            episode = source.episode(index)
            camera = self.config.cameras[int(rng.integers(len(self.config.cameras)))]
            frame = episode.episode.image(episode.cameras[camera], moment)
            images.append(self.processor.process(camera, frame))
            for name, point in objects_at(episode, moment, camera).items():
                number = self.names.index(name)
                points[i, number] = point
                if episode.proprio is not None:
                    points[i, number, 2:] -= episode.proprio[moment, :3]
        point = torch.from_numpy(points)
        seen = point[..., 0] >= 0
        cell = (point[..., :2] * side).floor().clamp(0, side - 1)
        target = (cell[..., 1] * side + cell[..., 0]).long()
        point[..., :2] = point[..., :2] * side - cell
        return [t.to(self.group.device) for t in (torch.stack(images), target, point, seen)]


def _model(config: VisionConfig) -> EvlaModel:
    if config.start and config.preset:
        raise TrainingError(f"preset {config.preset!r}: no effect beside start; leave one out")
    if config.start:
        return load_checkpoint(config.start).model.train()
    return EvlaModel(load_preset(config.preset or DEFAULT_PRESET, cameras=list(config.cameras)))


def _names(sources: Sequence[Source], cameras: Sequence[str]) -> tuple[str, ...]:
    """Return what things are called; raises TrainingDataError where a dataset does not say it."""
    for source in sources:
        first = source.episode(0)
        names = str(first.episode.metadata.get("object_names", ""))
        if not names:
            raise TrainingDataError(
                f"dataset {source.name!r} does not say where things are (no `object_names`); "
                "collect one with `evla train collect`"
            )
        for camera in cameras:
            if camera not in first.cameras:
                raise TrainingDataError(
                    f"dataset {source.name!r} has no camera {camera!r}; "
                    f"{nearest(camera, first.cameras)}"
                )
            if pixels_column(camera) not in first.episode.columns:
                raise TrainingDataError(
                    f"dataset {source.name!r} does not say where things are in the pictures of "
                    f"{camera!r} (no `{pixels_column(camera)}`); collect one with --cameras "
                    f"{' '.join(cameras)}"
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
