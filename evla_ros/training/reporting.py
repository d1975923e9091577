# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run tells its user: each report, each evaluation, and at the end what there is now."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from typing import Any

from evla_ros.training.config import TrainConfig
from evla_ros.training.errors_in_words import errors_in_words
from evla_ros.training.metrics import TAUGHT, MetricsLog, accuracy_of
from evla_ros.training.parts import Parts
from evla_ros.training.phase import Phase, RunParts
from evla_ros.training.progress import Console, duration
from evla_ros.training.run_settings import RunSettings

BEST_MEANS = (
    "best: the smallest mean error of the held-out actions, in the network's range from -1 to 1"
)


class Reporter:
    """Writes the metrics of a run and prints them; only the main rank has one."""

    def __init__(
        self,
        console: Console,
        phase: Phase,
        config: RunSettings,
        parts: RunParts,
        log: MetricsLog,
    ) -> None:
        self._console, self._phase, self._log = console, phase, log
        self._config, self._parts = config, parts
        self._units = parts.action_units
        self._started_s = time.monotonic()
        self._best = ""

    def step(self, entry: dict[str, Any]) -> None:
        """Report the metrics of the steps since the last report."""
        self._log.write(entry)
        left = (self._config.optimizer.steps - entry["step"]) * entry["seconds_per_step"]
        words = [
            f"step {entry['step']}/{self._config.optimizer.steps}",
            f"loss {entry['loss']:.4f}",
            accuracy_in_words(entry),
            errors_in_words(entry["l1"], self._units),
            f"{entry['samples_per_s']:.1f} samples/s",
            f"{duration(left)} left",
        ]
        self._console.say("  ".join(word for word in words if word))

    def waiting(self, step: int, since_s: float, done: int) -> None:
        """Renew the line of a terminal between two reports.

        Args:
            step: Steps taken since the run began.
            since_s: When the first of the steps of this report began, in seconds of a clock.
            done: Steps taken since then.
        """
        steps = self._config.optimizer.steps
        each_s = (time.monotonic() - since_s) / max(1, done)
        rate = self._config.optimizer.batch / max(each_s, 1e-9)
        left = duration((steps - step) * each_s)
        self._console.status(f"step {step}/{steps}  {rate:.1f} samples/s  {left} left")

    def evaluated(self, step: int, found: dict[str, Any], score: float, best: float) -> None:
        """Report an evaluation.

        Args:
            step: Steps taken.
            found: Dataset name -> metrics, see `evaluate`.
            score: What decides which checkpoint is best.
            best: The smallest score before.
        """
        self._log.write({"step": step, "val": found})
        lines = [
            f"  {name}: {', '.join(_scored(entry, self._units))}" for name, entry in found.items()
        ]
        verdict = f"the best so far (before: {best:.4f})" if score < best else f"best: {best:.4f}"
        if best == float("inf"):
            verdict = "the best so far"
        if score < best:
            self._best = f"step {step}, {self._phase.score_is} {score:.4f}"
        head = f"held out, after step {step}: {self._phase.score_is} {score:.4f}, {verdict}"
        self._console.say("\n".join([head, *lines]))

    def finished(self, world: str) -> None:
        """Say what there is now, and what comes next.

        Args:
            world: The simulated world of the robot; empty when there is none.
        """
        folder, took = self._config.output, duration(time.monotonic() - self._started_s)
        held_out = self._parts.holds_out
        kept = f"{folder}/best" if held_out else f"{folder}/last"
        lines = [f"finished after {took}"]
        if held_out:
            lines.append(
                f"  {folder}/best  {self._best or 'of an earlier start'} ({self._phase.best_means})"
            )
        lines.append(f"  {folder}/last  the checkpoint of the last step")
        lines.append(f"  {folder}/metrics.jsonl, {folder}/curves.png")
        lines.append("next:")
        lines += [
            f"  {command}"
            for command in self._phase.next_commands(self._config, self._parts, kept, world)
        ]
        self._console.say("\n".join(lines))


def _scored(entry: Mapping[str, Any], units: Sequence[str]) -> list[str]:
    """Return the figures of an evaluation in words."""
    errors = errors_in_words(entry["l1"], units)
    return [*([errors] if errors else []), accuracy_in_words(entry), f"loss {entry['loss']:.4f}"]


def accuracy_in_words(entry: Mapping[str, Any]) -> str:
    """Return the share of action numbers in the right one of the 256 bins."""
    text = f"tokens {100 * accuracy_of(entry):.1f} %"
    return f"{text} (the true ones fed to it)" if TAUGHT in entry else text


def next_commands(config: TrainConfig, parts: Parts, checkpoint: str, world: str) -> list[str]:
    """Return the commands that score a checkpoint and put it on its robot."""
    quoted = shlex.quote(checkpoint)
    first = (parts.val or parts.train)[0]
    entry = config.datasets[first.entry]
    data = entry.path or str(first.dataset.path)
    offline = f"evla eval offline --policy {quoted} --dataset {shlex.quote(data)}"
    offline += "" if first.split == "val" else f" --split {shlex.quote(first.split)}"
    offline += "" if entry.transform == "auto" else f" --transform {entry.transform}"
    commands = [offline]
    if world:
        commands.append(f"evla eval sim --policy {quoted} --world {world} --episodes 5")
    if parts.robot:
        robot = shlex.quote(f"{checkpoint}/embodiment.yaml")
        commands.append(f"evla run policy --embodiment {robot} --set checkpoint={quoted}")
    return commands
