# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joint against autoregressive decoding at the same data, seeds and budget."""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from evla_ros.training.config import TrainConfig, load_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.experiments.trials import Trial
from evla_ros.training.metrics import read_metrics

# Tokens alone and all K*D of them, with the same auxiliary losses: what differs is the decoding.
_ALONE = ("loss.l1=0.0", "loss.tokens=1.0", "loss.steps=0")
_HEAD = ("model.action.heads=[tokens]", "model.action.output=tokens")
MODES: dict[str, tuple[str, ...]] = {
    "joint": ("model.action.decode=joint", *_HEAD, *_ALONE),
    "autoregressive": ("model.action.decode=autoregressive", *_HEAD, *_ALONE),
}
_CALIBRATION_STEPS = 5
_COLUMNS = (
    "decoding",
    "seeds",
    "steps",
    "held-out token accuracy",
    "decoded tokens equal",
    "decoded L1, first three",
    "closed-loop success",
    "decode",
    "CPU a run",
)


def trials_of(
    config: Path, changes: Sequence[str], seeds: int, steps: dict[str, int], folder: Path
) -> list[Trial]:
    """Return modes x seeds; the runs share cached features, and are held out at 20 points."""
    trials = []
    for seed in range(seeds):
        for mode, own in MODES.items():
            every = max(1, steps[mode] // 20)
            common = (f"seed={seed}", f"optimizer.steps={steps[mode]}", f"eval_every={every}")
            place = (
                f"save_every={max(every, steps[mode] // 4)}",
                f"features={folder / 'features'}",
            )
            facts = {"mode": mode, "seed": seed}
            words = (*changes, *own, *common, *place)
            trials.append(Trial(f"{mode}-{seed}", facts, config, words))
    return trials


def steps_for(config: Path, changes: Sequence[str], minutes: float) -> dict[str, int]:
    """Return how many steps of each mode so many CPU minutes pay for, measured now."""
    from evla_ros.bench.train_ranks import measure_steps

    found = {}
    for mode, own in MODES.items():
        settings = _settings(config, [*changes, *own])
        with tempfile.TemporaryDirectory() as name:
            cost = measure_steps(settings, Path(name) / "run", _CALIBRATION_STEPS)
        found[mode] = int(60 * minutes / (cost.cpu_s_per_sample * settings.optimizer.batch))
        if found[mode] < 1:
            raise TrainingError(f"--minutes {minutes:g} is less than one step of {mode!r} takes")
    return found


def kept(file: Path, measure: Callable[[], dict[str, int]]) -> dict[str, int]:
    """Return what an earlier start of the experiment measured, else measure and keep it."""
    if not file.is_file():
        found = measure()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found))
    return dict(json.loads(file.read_text()))


def table(results: Sequence[dict[str, Any]]) -> str:
    """Return the comparison as Markdown: means over seeds, and the spread where it matters."""
    lines = [f"| {' | '.join(_COLUMNS)} |", "|---" * len(_COLUMNS) + "|"]
    for mode in MODES:
        mine = [result for result in results if result["mode"] == mode]
        if not mine:
            continue
        cells = [
            mode + (" (teacher-forced accuracy)" if mode == "autoregressive" else ""),
            str(len(mine)),
            f"{statistics.mean(r['steps'] for r in mine):.0f}",
            _percent([_accuracy(r["held_out"]) for r in mine]),
            _percent([r["offline"]["tokens_equal"] for r in mine]),
            _millimetres(mine),
            _percent([r["sim"]["all"]["rate"] for r in mine if "all" in r["sim"]]),
            f"{statistics.mean(r['offline']['inference_ms'] for r in mine):.0f} ms",
            f"{statistics.mean(r['train']['cpu_s'] for r in mine) / 60:.1f} min",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw held-out accuracy, loss and L1 over the steps: a line a run, a colour a mode."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 3.6), layout="constrained")
    panels = {"token_accuracy": "held-out token accuracy", "loss": "held-out loss"}
    panels["normalized_l1"] = "held-out L1 (range -1..1, summed)"
    for axis, (key, title) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        for number, mode in enumerate(MODES):
            runs = [result for result in results if result["mode"] == mode]
            for i, run in enumerate(runs):
                points = _curve(Path(run["checkpoint"]).parent, key)
                label = mode if i == 0 else None
                axis.plot(*zip(*points, strict=True), color=f"C{number}", lw=1.2, label=label)
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
    figure.axes[0].legend(fontsize=8)
    figure.savefig(path, dpi=110)


def write(results: Sequence[dict[str, Any]], question: dict[str, Any], folder: Path) -> str:
    """Write comparison.json, comparison.md and curves.png; returns the table."""
    text = table(results)
    content = {"question": question, "results": list(results)}
    (folder / "comparison.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "comparison.md").write_text(text + "\n")
    plot(results, folder / "curves.png")
    return text


def _settings(config: Path, changes: Sequence[str]) -> TrainConfig:
    return load_config(config, [*changes, "output=unused", "compile=false"])


def _curve(run: Path, key: str) -> list[tuple[int, float]]:
    held_out = [entry for entry in read_metrics(run) if "val" in entry]
    return [
        (e["step"], statistics.mean(float(v[key]) for v in e["val"].values())) for e in held_out
    ] or [(0, float("nan"))]


def _accuracy(held_out: dict[str, Any]) -> float | None:
    values = [float(entry["token_accuracy"]) for entry in held_out.values()]
    return statistics.mean(values) if values else None


def _percent(values: Sequence[float | None]) -> str:
    known = [100 * value for value in values if value is not None]
    if not known:
        return "-"
    return f"{statistics.mean(known):.1f} % ({min(known):.1f} to {max(known):.1f})"


def _millimetres(results: Sequence[dict[str, Any]]) -> str:
    firsts = [statistics.mean(list(r["offline"]["l1"].values())[:3]) for r in results]
    return f"{1e3 * statistics.mean(firsts):.2f} mm"
