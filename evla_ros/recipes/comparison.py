# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trains and scores joint and autoregressive decoding with the same data, seeds and budget."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evla_ros.reading.text_files import read_json_object
from evla_ros.recipes.comparison_report import write
from evla_ros.recipes.comparison_settings import Compared
from evla_ros.recipes.datasets import change
from evla_ros.recipes.trials import Scoring, Trial, best_of, run_trials
from evla_ros.training.config import TrainConfig
from evla_ros.training.config_file import load_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.samples.entries import folders

# Tokens alone and all K*D of them, with the same auxiliary losses: what differs is the decoding.
_ALONE = ("loss.l1=0.0", "loss.tokens=1.0", "loss.steps=0")
_HEAD = ("model.action.heads=[tokens]", "model.action.output=tokens")
MODES: dict[str, tuple[str, ...]] = {
    "joint": ("model.action.decode=joint", *_HEAD, *_ALONE),
    "autoregressive": ("model.action.decode=autoregressive", *_HEAD, *_ALONE),
}
_CALIBRATION_STEPS = 5


@dataclass(frozen=True)
class Comparison:
    """What a comparison found.

    Attributes:
        table: The comparison as Markdown.
        best: The checkpoint that scored best.
    """

    table: str
    best: str


def compare(asked: Compared) -> Comparison:
    """Train, score and write both modes. The same call goes on after a kill.

    Raises:
        TrainingError: no budget or two, nothing held out, or a run that failed.
    """
    if (asked.steps > 0) == (asked.minutes > 0):
        raise TrainingError("give a budget: either --steps N or --minutes M")
    entries = load_config(asked.config, list(asked.changes)).datasets
    first = folders(entries)[0][0]  # of a mixture, the first of its datasets
    if entries[0].path:
        _check_held_out(entries[0].path, first.val_split)
    steps = dict.fromkeys(contestants(asked), asked.steps)
    if asked.minutes:
        steps = _kept(asked.output / "steps.json", lambda: steps_for(asked))
    scoring = Scoring(
        first.path,
        asked.frames,
        asked.world,
        asked.tasks,
        asked.episodes,
        workers=asked.processes,
        transform=first.transform,
        split=first.val_split,
        device=asked.device or _own_device(),
    )
    how = (asked.processes, asked.parallel)
    results = run_trials(trials_of(asked, steps), asked.output, scoring, *how)
    question = {key: value for key, value in asdict(asked).items() if key != "output"}
    paths = {"config": str(asked.config), "baseline": str(asked.baseline or "")}
    question = {**question, **paths, "steps_of_mode": steps}
    table = write(results, question, asked.output)
    return Comparison(table, best_of(results)["checkpoint"])


def contestants(asked: Compared) -> dict[str, tuple[Path, tuple[str, ...]]]:
    """Return the networks by name: the configuration of each, and what is changed in it."""
    found = {mode: (asked.config, (*asked.changes, *own)) for mode, own in MODES.items()}
    if asked.baseline is not None:
        if asked.baseline.stem in found:
            raise TrainingError(f"--baseline {str(asked.baseline)!r}: a mode has that name")
        found[asked.baseline.stem] = (asked.baseline, asked.changes)
    return found


def trials_of(asked: Compared, steps: dict[str, int]) -> list[Trial]:
    """Return a training per network and seed, scored 20 times; features are cached together."""
    trials = []
    for seed in range(asked.seeds):
        for mode, (file, own) in contestants(asked).items():
            cached = _settings(file, own).cache_features
            shared = [change("features", str(asked.output / "features"))] if cached else []
            every = max(1, steps[mode] // 20)
            common = (
                change("output", str(asked.output)),
                change("seed", seed),
                change("optimizer.steps", steps[mode]),
                change("optimizer.epochs", 0.0),
                change("eval_every", every),
                change("save_every", max(every, steps[mode] // 4)),
            )
            config = load_config(file, [*own, *common, *shared])
            trials.append(Trial(f"{mode}-{seed}", {"mode": mode, "seed": seed}, config))
    return trials


def steps_for(asked: Compared) -> dict[str, int]:
    """Measure how many steps of each network the CPU minutes of a run pay for.

    Raises:
        TrainingError: they do not pay for one step.
    """
    from evla_ros.training.evaluation.step_rate import measure_steps

    found = {}
    for mode, (file, own) in contestants(asked).items():
        settings = _settings(file, own)
        with tempfile.TemporaryDirectory() as name:
            cost = measure_steps(settings, Path(name) / "run", _CALIBRATION_STEPS)
        found[mode] = int(60 * asked.minutes / (cost.cpu_s_per_sample * settings.optimizer.batch))
        if found[mode] < 1:
            raise TrainingError(
                f"--minutes {asked.minutes:g} is less than one step of {mode!r} takes"
            )
    return found


def _kept(file: Path, measure: Callable[[], dict[str, int]]) -> dict[str, int]:
    """Return what an earlier start of the experiment measured, else measure and keep it."""
    if not file.is_file():
        found = measure()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found))
    return read_json_object(file)


def _settings(config: Path, changes: Sequence[str]) -> TrainConfig:
    return load_config(config, [*changes, "output=unused", "compile=false"])


def _own_device() -> str:
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _check_held_out(path: str, split: str) -> None:
    """Raise TrainingError when nothing is held out to compare on."""
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(path)
    if not dataset.splits.get(split):
        raise TrainingError(
            f"dataset {dataset.name!r} has no episodes in split {split!r} to compare on; make a "
            f"copy that has: evla dataset split {path} --out outputs/data --val 0.2"
        )
