# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fine-tuning script; the same on a CPU, on a GPU and under torchrun.

    evla train finetune --dataset datasets/my_robot
    torchrun --nproc-per-node 2 -m evla_ros.training.train --dataset datasets/my_robot

Sample i of the stream depends on (seed, i) alone, and the saved state is renamed into place when it
is complete. A run that was killed therefore continues exactly as if it had not been, and two ranks
learn what one rank learns.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.training import distributed
from evla_ros.training.action_phase import ActionPhase
from evla_ros.training.arithmetic import fixed_precision
from evla_ros.training.checkpointing import state_metadata
from evla_ros.training.command_line import read_arguments, requested_config
from evla_ros.training.config import TrainConfig
from evla_ros.training.curves import plot_curves
from evla_ros.training.learner import Learner
from evla_ros.training.memory_reuse import keep_freed_memory
from evla_ros.training.metrics import MetricsLog, StepTotals, check_viewers
from evla_ros.training.model_changes.compiling import compile_decoder
from evla_ros.training.objective.objective import SampleSource
from evla_ros.training.phase import Phase
from evla_ros.training.preparing import held_by, share_of, with_steps
from evla_ros.training.progress import Console
from evla_ros.training.reporting import Reporter
from evla_ros.training.run_folder import (
    check_folder,
    check_same_network,
    claimed,
    continued,
    say_how_to_go_on,
)
from evla_ros.training.run_settings import RunSettings
from evla_ros.training.samples.loader import batches
from evla_ros.training.saving import Saver, adapters_base
from evla_ros.training.sharding import shard
from evla_ros.training.step_cost import measure_cost
from evla_ros.training.stopping import StopRequest


def no_world(_: Embodiment) -> str:
    """Return that a robot is not simulated."""
    return ""


def train(
    config: TrainConfig, *, resume: bool = False, world_of: Callable[[Embodiment], str] = no_world
) -> Path:
    """Train a policy.

    Args:
        config: The settings of the run.
        resume: Continue the run in `config.output` instead of starting one.
        world_of: Returns the simulated world of a robot, which the last lines name; empty for none.

    Returns:
        The output folder, with the checkpoints `best` and `last`, the metrics and the curves.

    Raises:
        EvlaError: A setting, a dataset or the folder cannot be used; found before the first step.
        KeyboardInterrupt: The run was stopped by Ctrl-C or SIGTERM; its state is saved.
    """
    return run_phase(ActionPhase(), config, resume=resume, world_of=world_of)


def run_phase(
    phase: Phase,
    config: RunSettings,
    *,
    resume: bool = False,
    world_of: Callable[[Embodiment], str] = no_world,
) -> Path:
    """Train one phase; arguments, result and errors as of `train`."""
    group = distributed.start()
    try:
        run = Run(config, group, phase, resume=resume)
        run.loop(world_of)
        return run.folder
    finally:
        distributed.stop(group)


class Run:
    """One training run: its model, data streams and optimiser, and the loop over its steps."""

    def __init__(
        self,
        config: RunSettings,
        group: distributed.ProcessGroup,
        phase: Phase,
        *,
        resume: bool,
    ) -> None:
        self.group, self.folder = group, Path(config.output)
        self.phase = phase
        self.console = Console(speaks=group.is_main)
        check_folder(config, resume=resume)
        check_viewers(tensorboard=config.tensorboard, wandb=config.wandb)
        keep_freed_memory()
        asked = continued(config) if resume else config
        tell, held = self.console.phase, held_by(asked, group)
        self.parts: Any = self.phase.build(asked, resume=resume, tell=tell, held=held)
        if resume:
            check_same_network(config, self.parts.model.config)
        self.model = self.parts.model.train()
        self.sharded = distributed.is_sharded(config, group)
        kept = state_metadata(self.folder) if resume else {}
        self.fresh = tuple(kept.get("fresh", self.parts.fresh))
        self.modules = self.phase.trainable(self.parts, config, group, self.fresh)
        if not self.sharded:  # a sharded one moves part by part
            self.model.to(group.device)  # with its base narrowed before
        self.config = with_steps(self.phase.with_rates(config, self.model), self.parts.samples)
        self.accuracy = self.phase.accuracy(self.parts)
        self.objective = self.phase.objective(self.parts, self.config, self.modules)
        self.share = share_of(config, group, resume=resume)
        for note in self.parts.notes:
            self.console.say(f"note: {note}")
        with claimed(config, group, resume=resume):
            self._get_ready(resume=resume)

    def _get_ready(self, *, resume: bool) -> None:
        """Create the streams, the optimiser and the log; load the saved state of a resumed run."""
        config, group = self.config, self.group
        streams = self.phase.streams(self.parts, config, group, self.console.phase)
        self.train_stream: Any = streams[0]
        self.val_stream: Any = streams[1]
        kept = state_metadata(self.folder) if resume else {}
        if self.sharded:
            shard(group, self.model, self._heads, fixed_precision(config, kept, group))
        self.console.phase("trying threads, number formats and attention kernels on a few samples")
        tried = (self.model, self.modules, self.objective, self.train_stream, self.share)
        self.cost = measure_cost(config, *tried, group, kept)
        self.precision = self.cost.arithmetic.precision
        if config.compile:
            compile_decoder(self.model, group.device)
        learned = (self.model, self.modules, self.objective)
        self.learner = Learner(config, *learned, self.precision, group)
        given = (self.folder, self.parts, self.modules, self.learner, group)
        self.saver = Saver(*given, adapters_base(config))
        self.saver.metadata = {**self.cost.arithmetic.kept, "fresh": self.fresh}
        self.first_step = self.saver.restore() if resume else 0
        self.reporter = None
        if group.is_main:
            log = MetricsLog(
                self.folder, self.first_step, tensorboard=config.tensorboard, wandb=config.wandb
            )
            self.reporter = Reporter(self.console, self.phase, config, self.parts, log)

    def loop(self, world_of: Callable[[Embodiment], str] = no_world) -> None:
        """Train until the last step, with evaluation, checkpoints and reports on the way.

        Args:
            world_of: See `train`.

        Raises:
            KeyboardInterrupt: The run was stopped by Ctrl-C or SIGTERM. The state of the last step
                is saved, and the command that continues the run is printed.
        """
        given = (self.config, self.parts, self.cost, self.first_step, self.group.device)
        self.console.say(self.phase.screen(*given))
        if self.first_step >= self.config.optimizer.steps:
            self.console.say("note: all steps are taken: nothing is left to train")
        with StopRequest(speaks=self.group.is_main) as stop:
            self._loop(stop)
        if self.reporter is not None:
            plot_curves(self.folder)
            robot = self.parts.robot
            self.reporter.finished(world_of(robot) if robot else "")

    def _loop(self, stop: StopRequest) -> None:
        config, steps = self.config, self.config.optimizer.steps
        workers = self.phase.workers(config)
        pin = self.group.device.type == "cuda"
        made = batches(self.train_stream, self.share, self.first_step, workers, pin=pin)
        stream = self.phase.watched(config, made)
        since, before = time.monotonic(), self.first_step
        if config.compile and self.first_step < steps:
            self.console.phase("the first step compiles the decoder, which takes a minute or more")
        for step in range(self.first_step, steps):
            totals, norm = self.step(step, stream)
            done = step + 1
            if self.reporter is not None:
                self.reporter.waiting(done, since, done - before)
            if done % config.log_every == 0 or done == steps:
                self._report(done, totals, norm, done - before, time.monotonic() - since)
                since, before = time.monotonic(), done
            if self.val_stream is not None and (done % config.eval_every == 0 or done == steps):
                self._evaluate(self.val_stream, done)
                since, before = time.monotonic(), done
            stopped = self.group.any(here=stop.asked) and done < steps
            if done % config.save_every == 0 or done == steps or stopped:
                self.saver.save(done)
                since, before = time.monotonic(), done
            if stopped:
                self.console.clear()
                say_how_to_go_on(self.config, self.group, self.phase, done)
                raise KeyboardInterrupt

    @property
    def _heads(self) -> dict[str, nn.Module]:
        return {name: part for name, part in self.modules.items() if name != "model"}

    def step(self, step: int, stream: Iterator[Any]) -> tuple[StepTotals, Tensor]:
        """Take one optimiser step, see `Learner.step`."""
        return self.learner.step(step, stream)

    def _report(
        self, step: int, totals: StepTotals, norm: Tensor, taken: int, seconds: float
    ) -> None:
        settings = self.config.optimizer
        entry = {
            "step": step,
            **totals.metrics(self.group, self.parts.action_names, self.accuracy),
            "gradient_norm": float(norm),
            "learning_rate": self.learner.learning_rate,
            "samples_per_s": taken * settings.batch / seconds,
            "seconds_per_step": seconds / taken,
        }
        if self.reporter is not None:
            self.reporter.step(entry)

    def _evaluate(self, stream: SampleSource, step: int) -> None:
        self.console.status(f"scoring what is held out, after step {step}")
        with self.learner.scoring():
            given = (self.parts, stream, self.config, self.group)
            found, score = self.phase.evaluate(*given)
        if self.reporter is not None:
            self.reporter.evaluated(step, found, score, self.saver.best)
        self.saver.offer(score)


def main(argv: list[str] | None = None) -> int:
    """Run the trainer under torchrun, with the arguments of `evla train finetune`.

    Returns:
        The exit code: 0, 1 after Ctrl-C, 2 after an error, which is printed.
    """
    try:
        request = read_arguments(sys.argv[1:] if argv is None else argv)
        train(requested_config(request), resume=request.resume)
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
