# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training script of phase 2; the same on a CPU, a GPU and under torchrun.

    evla train finetune config.yaml
    torchrun --nproc-per-node 2 -m evla_ros.training.train config.yaml

Sample i of the stream depends on (seed, i) alone and the state is renamed into place, so a run that
was killed
goes on exactly as if it had not been, and two ranks learn what one rank learns.
"""

from __future__ import annotations

import contextlib
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import nn

from evla_ros.errors import EvlaError
from evla_ros.model.checkpoint import save_checkpoint
from evla_ros.training import distributed
from evla_ros.training.building import Parts, build, stream
from evla_ros.training.checkpointing import load_state, save_state
from evla_ros.training.config import TrainConfig, load_config
from evla_ros.training.curves import plot_curves
from evla_ros.training.ema import Ema
from evla_ros.training.errors import TrainingError
from evla_ros.training.evaluation.evaluate import evaluate
from evla_ros.training.memory_reuse import keep_freed_memory
from evla_ros.training.metrics import MetricsLog
from evla_ros.training.model_changes.compiling import compile_decoder
from evla_ros.training.model_changes.freeze import freeze
from evla_ros.training.model_changes.lora import add_lora, merged_tensors
from evla_ros.training.objective.grounding import Grounding
from evla_ros.training.objective.losses import Sums, action_sums, taught, token_sums
from evla_ros.training.objective.step_subset import draw_steps, forward_steps, pick_steps
from evla_ros.training.preparing import chosen_precision, decay_groups, open_folder, share_of
from evla_ros.training.progress import show
from evla_ros.training.samples.batch import Batch
from evla_ros.training.samples.feature_cache import FeatureCache
from evla_ros.training.samples.loader import SampleStream, batches
from evla_ros.training.schedule import learning_rate


def train(config: TrainConfig, *, resume: bool = False) -> Path:
    """Train and return the output folder, which then holds `best`, `last`, metrics and curves."""
    world = distributed.start()
    try:
        run = Run(config, world, resume=resume)
        run.loop()
        return run.folder
    finally:
        distributed.stop(world)


class Run:
    """One training run: what it is made of, and its loop."""

    def __init__(self, config: TrainConfig, world: distributed.World, *, resume: bool) -> None:
        self.config, self.world, self.folder = config, world, Path(config.output)
        open_folder(self.folder, config, world, resume=resume)
        keep_freed_memory()
        self.parts = build(config)
        self.model = self.parts.model.to(world.device).train()
        self._steps: torch.Tensor | None = None
        if config.loss.steps and self.model.config.action.mask != "isolated":
            raise TrainingError(
                "loss.steps needs model.action.mask: isolated (slots must not see each other)"
            )
        self.modules = self._prepare_modules()
        self.share = share_of(config, world)
        self.train_stream, self.val_stream = self._streams()
        self.trained = [p for m in self.modules.values() for p in m.parameters() if p.requires_grad]
        settings = config.optimizer
        self.precision = chosen_precision(settings.precision, world.device)
        self.optimizer = torch.optim.AdamW(
            decay_groups(self.trained, settings.weight_decay),
            lr=settings.learning_rate,
            betas=settings.betas,
        )
        self.ema = Ema(self.model, settings.ema)
        facts = load_state(self.folder, self.modules, self.optimizer, self.ema) if resume else None
        self.first_step = int(facts["step"]) if facts else 0
        self.best = float(facts["best"]) if facts else float("inf")
        self.log = (
            MetricsLog(
                self.folder, self.first_step, tensorboard=config.tensorboard, wandb=config.wandb
            )
            if world.is_main
            else None
        )

    def loop(self) -> None:
        """Take the remaining steps; evaluate, save and report on the way."""
        config, steps = self.config, self.config.optimizer.steps
        stream = batches(self.train_stream, self.share, self.first_step, config.data.workers)
        since, samples = time.monotonic(), 0
        for step in range(self.first_step, steps):
            totals, norm = self.step(step, stream)
            samples += config.optimizer.batch
            done = step + 1
            if done % config.log_every == 0 or done == steps:
                seconds = time.monotonic() - since
                self._report(done, totals, norm, samples, seconds)
                since, samples = time.monotonic(), 0
            if done % config.eval_every == 0 or done == steps:
                self._evaluate(done)
                since = time.monotonic()
            if done % config.save_every == 0 or done == steps:
                self._save(done)
                since = time.monotonic()
        if self.world.is_main:
            plot_curves(self.folder)

    def step(self, step: int, stream: Any) -> tuple[dict[str, Any], float]:
        """One optimiser step over `accumulate` forwards.

        Returns summed metrics and the gradient norm.
        """
        settings = self.config.optimizer
        torch.manual_seed(
            hash((self.config.seed, step, self.world.rank)) % 2**31
        )  # adapter dropout
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(settings, step)
        waiting = [next(stream).to(self.world.device) for _ in range(settings.accumulate)]
        self._steps = self._draw_steps(step)
        if self._steps is not None:
            waiting = [pick_steps(batch, self._steps) for batch in waiting]
        count = self.world.total(torch.stack([_count(b) for b in waiting]).sum().float())
        totals: dict[str, Any] = {}
        for batch in waiting:
            sums, auxiliary = self._forward(batch)
            loss = sums.loss / count + auxiliary / (len(waiting) * self.world.ranks)
            (loss * self._fsdp_factor).backward()  # type: ignore[no-untyped-call]
            _add(totals, sums, auxiliary)
        if self._fsdp_factor == 1:
            distributed.share_gradients(self.world, self.trained)
        norm = distributed.whole(nn.utils.clip_grad_norm_(self.trained, settings.clip_norm))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update(step)
        return totals, float(norm)

    def _forward(self, batch: Batch) -> tuple[Sums, torch.Tensor]:
        weights = self.config.loss
        with self._autocast():
            if self.model.config.action.decode != "joint":
                output = taught(self.model, batch)
                sums = token_sums(self.model, batch, output)
            else:
                if self._steps is None:
                    output = self.model.forward_joint(batch.inputs)
                else:
                    output = forward_steps(self.model, batch.inputs, self._steps)
                sums = action_sums(self.model, output, batch, weights.l1, weights.tokens)
            if "grounding" not in self.modules:
                return sums, sums.loss.new_zeros(())
            parts = self.modules["grounding"](output, batch)
            return sums, weights.grounding * sum(parts.values(), start=sums.loss.new_zeros(()))

    def _draw_steps(self, step: int) -> torch.Tensor | None:
        count, action = self.config.loss.steps, self.model.config.action
        if count == 0 or count >= action.chunk:
            return None
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + step)
        return draw_steps(action.chunk, count, generator)

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.world.device.type, torch.bfloat16)

    def _prepare_modules(self) -> dict[str, nn.Module]:
        config, model = self.config, self.model
        freeze(model, config.freeze)
        if config.lora.rank:
            add_lora(model, config.lora, config.seed)
        if config.activation_checkpointing:
            model.language_model.body.gradient_checkpointing_enable()
        modules: dict[str, nn.Module] = {"model": model}
        if config.loss.grounding:
            torch.manual_seed(config.seed + 1)
            modules["grounding"] = Grounding(model, config.loss.grounding_layer).to(
                self.world.device
            )
        if config.compile:
            compile_decoder(model, self.world.device)
        self._fsdp_factor = 1
        if config.distributed == "fsdp" and self.world.ranks > 1:
            distributed.shard(self.world, model)
            self._fsdp_factor = self.world.ranks
        return modules

    def _streams(self) -> tuple[SampleStream, SampleStream | None]:
        parts, config = self.parts, self.config
        caches: list[FeatureCache | None] = [None, None]
        if config.cache_features:
            for i, sources in enumerate((parts.train, parts.val)):
                if sources:
                    folder = Path(config.features or self.folder / "features")
                    place = (folder, self.world.rank, self.world.ranks)
                    processor = parts.processor.image_processor
                    caches[i] = FeatureCache.fill(self.model, processor, sources, *place)
            self.world.barrier()
        train_stream = stream(parts, config, parts.train, caches[0], train=True)
        val_stream = stream(parts, config, parts.val, caches[1], train=False) if parts.val else None
        return train_stream, val_stream

    def _report(
        self, step: int, totals: dict[str, Any], norm: float, samples: int, seconds: float
    ) -> None:
        packed = torch.cat([totals["numbers"], totals["error"]]).float()
        packed = self.world.total(packed)
        if self.log is None:
            return
        loss, count, right, rows, auxiliary = packed[:5].tolist()
        parts = self.config.optimizer.accumulate * self.world.ranks
        names = self.parts.action_names
        entry = {
            "step": step,
            "loss": loss / count,
            "auxiliary_loss": auxiliary / parts,
            "token_accuracy": right / count,
            "l1": {n: float(e) / rows for n, e in zip(names, packed[5:], strict=True)},
            "gradient_norm": norm,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            "samples_per_s": samples / seconds,
            "seconds_per_step": seconds * self.config.optimizer.batch / samples,
        }
        self.log.write(entry)
        show(entry, self.config.optimizer.steps)

    def _evaluate(self, step: int) -> None:
        if self.val_stream is None:
            return
        with self.ema.applied(), self._autocast():
            found = evaluate(
                self.model, self.val_stream, self.config, self.parts.action_names, self.world
            )
        if self.log is not None:
            self.log.write({"step": step, "val": found})
        score = sum(entry["normalized_l1"] for entry in found.values()) / len(found)
        if score < self.best:
            self.best = score
            if self.world.is_main or self._fsdp_factor > 1:  # sharded: every rank gives its part
                self._save_checkpoint("best")

    def _save(self, step: int) -> None:
        if self.world.is_main and self._fsdp_factor == 1:
            save_state(
                self.folder, step, self.modules, self.optimizer, self.ema, {"best": self.best}
            )
        if self.world.is_main or self._fsdp_factor > 1:
            self._save_checkpoint("last")
        self.world.barrier()

    def _save_checkpoint(self, name: str) -> None:
        parts: Parts = self.parts
        with self.ema.applied():
            tensors = distributed.whole_tensors(merged_tensors(self.model))
            if self.world.is_main:
                save_checkpoint(
                    self.folder / name,
                    self.model,
                    parts.tokenizer,
                    parts.statistics,
                    parts.embodiment_text,
                    overwrite=True,
                    tensors=tensors,
                )


def _count(batch: Batch) -> torch.Tensor:
    return batch.valid.sum() * batch.actions.shape[-1]


def _add(totals: dict[str, Any], sums: Sums, auxiliary: torch.Tensor) -> None:
    values = (sums.loss, sums.count, sums.right, sums.rows, auxiliary)
    numbers = torch.stack([value.detach().float() for value in values])
    totals["numbers"] = totals.get("numbers", 0) + numbers
    totals["error"] = totals.get("error", 0) + sums.error


def main(words: list[str] | None = None) -> int:
    """Entry for torchrun: `config.yaml [--resume] [key.sub=value ...]`."""
    arguments = list(sys.argv[1:] if words is None else words)
    resume = "--resume" in arguments
    file, *changes = [word for word in arguments if word != "--resume"]
    try:
        train(load_config(file, changes), resume=resume)
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
