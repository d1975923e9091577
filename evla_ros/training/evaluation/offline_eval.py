# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval offline`: a checkpoint on held-out episodes, through the code that serves it."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evla_ros.training.evaluation.parity import sentences

if TYPE_CHECKING:
    from evla_ros.model.action_tokenizer import ActionTokenizer
    from evla_ros.model.predictor import Predictor
    from evla_ros.training.samples.source import Source

Float = npt.NDArray[np.float64]
TOKENS_WITHIN = 4

_EXAMPLES = """examples:
  evla eval offline --policy outputs/run/best --dataset outputs/data/my_robot
  evla eval offline --policy outputs/run/best --dataset outputs/data/my_robot --out outputs/offline
  evla eval offline --policy outputs/run/best --dataset outputs/data/my_robot --split train --live

Every chosen frame goes through the predictor that the policy node runs: errors are in metres,
radians and gripper openings per number of the action; token agreement is exact and within 4 of the
256 bins. --live is the gate between training and serving: frames replayed to the real node over DDS
against the trainer's own batches (exit code 1 when a token differs; no goal leaves the node)."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """predicted, true [N, K, D] physical.

    Valid [N, K]; episode, step [N] where each frame is from; inference_ms [N] of each answer.
    """

    predicted: Float
    true: Float
    valid: npt.NDArray[np.bool_]
    episode: npt.NDArray[np.int64]
    step: npt.NDArray[np.int64]
    inference_ms: Float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add = parser.add_argument
    add("--policy", required=True, metavar="CHECKPOINT", help="a checkpoint folder")
    add("--dataset", required=True, metavar="DIR", help="an RLDS dataset")
    add("--split", default="val", help="(default: val)")
    add("--frames", type=int, default=200, metavar="N", help="at most so many (default: 200)")
    add("--transform", default="auto", help="standardisation (default: by the dataset's name)")
    add("--output", choices=("tokens", "l1"), help="head (default: the checkpoint's)")
    add("--out", metavar="DIR", help="a new folder for report.json and predicted_vs_true.png")
    add(
        "--live", nargs="?", type=int, const=12, default=0, metavar="N",
        help="also show N frames to the live policy node; they have to give the same tokens (12)",
    )  # fmt: skip
    add("--device", default="cpu", help="of the network: cpu, cuda, ... (default: cpu)")
    add("--json", action="store_true", help="print the report as JSON")
    parser.epilog = _EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Compare, print the table or JSON, write the folder when asked."""
    from evla_ros.training.errors import TrainingError
    from evla_ros.training.samples.source import Source

    out = Path(arguments.out) if arguments.out else None
    if out is not None and out.exists():
        raise TrainingError(f"{str(out)!r} exists; choose another folder")
    source = Source(arguments.dataset, arguments.split, arguments.transform)
    predictor = load_predictor(arguments.policy, source.name, arguments.output, arguments.device)
    names = action_names(source, predictor.action_dim)
    comparison = compare(predictor, source, arguments.frames)
    report = summarize(comparison, predictor, names)
    if arguments.live:
        report["live"] = _gate(predictor, source, arguments)
    print(json.dumps(report, indent=1) if arguments.json else table(report))
    if out is not None:
        out.mkdir(parents=True)
        (out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
        plot(comparison, names, out / "predicted_vs_true.png")
    return 0 if report.get("live", {}).get("passed", True) else 1


def load_predictor(
    checkpoint: str | Path,
    dataset: str,
    output: Any = None,
    device: str = "cpu",
    dtype: str | None = None,
) -> Predictor:
    """Load a checkpoint with the statistics for a dataset: its own entry, else the only one."""
    from evla_ros.model.normalization import DatasetStatistics
    from evla_ros.model.predictor import Predictor

    file = Path(checkpoint) / "dataset_statistics.json"
    known = DatasetStatistics.read(file).datasets if file.is_file() else {}
    key = dataset if dataset in known else None
    return Predictor(checkpoint, device, dtype, output=output, statistics_key=key)


def _gate(predictor: Predictor, source: Source, arguments: argparse.Namespace) -> dict[str, Any]:
    from evla_ros.training.errors import TrainingError
    from evla_ros.training.evaluation.parity import check_parity

    if arguments.live < 1:
        raise TrainingError(f"--live {arguments.live}: at least 1 frame")
    if arguments.output not in (None, predictor.config.action.output):
        raise TrainingError(
            "--live asks the node, which uses the checkpoint's own head; leave out --output"
        )
    checkpoint = Path(arguments.policy).resolve()
    return check_parity(predictor, source, arguments.live, checkpoint, arguments.device).report()


def compare(predictor: Predictor, source: Source, frames: int) -> Comparison:
    """Predict every n-th frame of the split, so that at most `frames` are spread over all of it."""
    from evla_ros.training.samples.sample import own_answer

    source.check(predictor.action_dim, predictor.config.proprio_dim, predictor.config.image.cameras)
    numbers = np.unique(np.linspace(0, len(source) - 1, min(frames, len(source))).astype(int))
    rows: list[tuple[Any, ...]] = []
    predictor.warm_up()
    for number in numbers:
        index, step = source.locate(int(number))
        episode = source.episode(index)
        cameras = predictor.config.image.cameras
        images = {c: episode.episode.image(episode.cameras[c], step) for c in cameras}
        proprio = episode.proprio[step] if episode.proprio is not None else None
        truth = own_answer(episode, step, predictor.chunk_length)
        started = time.perf_counter()
        predicted = predictor.predict(images, proprio, truth.instruction)
        took_ms = 1e3 * (time.perf_counter() - started)
        actions = truth.actions.astype(np.float64)
        rows.append((predicted, actions, truth.valid, index, step, took_ms))
    columns = [np.stack([np.asarray(row[i]) for row in rows]) for i in range(6)]
    return Comparison(*columns)


def summarize(
    comparison: Comparison, predictor: Predictor, names: tuple[str, ...]
) -> dict[str, Any]:
    """Return mean absolute errors of the chunk and of its first step, and token agreement."""
    mask = comparison.valid[..., None]
    away = np.abs(comparison.predicted - comparison.true) * mask
    counts = comparison.valid.sum()
    normalizer = predictor.action_normalizer
    tokenizer = predictor.model.action_tokenizer
    ours, theirs = (
        comparable_ids(tokenizer, normalizer.normalize(values))
        for values in (comparison.predicted, comparison.true)
    )
    apart = np.abs(ours - theirs)[np.broadcast_to(mask, ours.shape)]
    first = away[:, 0]
    return {
        "frames": len(away),
        "episodes": len(np.unique(comparison.episode)),
        "inference_ms": float(np.median(comparison.inference_ms)),
        "l1": dict(zip(names, (away.sum((0, 1)) / counts).tolist(), strict=True)),
        "l1_first_step": dict(zip(names, first.mean(0).tolist(), strict=True)),
        "spread": dict(zip(names, _spread(comparison).tolist(), strict=True)),
        "tokens_equal": float((apart == 0).mean()),
        f"tokens_within_{TOKENS_WITHIN}": float((apart <= TOKENS_WITHIN).mean()),
    }


def comparable_ids(tokenizer: ActionTokenizer, normalized: Float) -> npt.NDArray[np.int64]:
    """Ids of normalised actions; the two highest bins, which decode to one value, are one here.

    Without it an answer of the highest bin (an open gripper, say) never equals the true 1.0.
    """
    return tokenizer.encode(tokenizer.decode(tokenizer.encode(normalized)))


def table(report: dict[str, Any]) -> str:
    """Return the report as text; `spread` is the error of always predicting the mean."""
    lines = [f"{'number':<16} {'L1':>10} {'first step':>11} {'mean only':>10}"]
    for name, value in report["l1"].items():
        first, spread = report["l1_first_step"][name], report["spread"][name]
        lines.append(f"{name:<16} {value:>10.5f} {first:>11.5f} {spread:>10.5f}")
    equal, near = report["tokens_equal"], report[f"tokens_within_{TOKENS_WITHIN}"]
    lines.append(
        f"{report['frames']} frames of {report['episodes']} episodes; "
        f"tokens equal {100 * equal:.1f} %, within {TOKENS_WITHIN} bins {100 * near:.1f} %; "
        f"{report['inference_ms']:.0f} ms an answer (median)"
    )
    if "live" in report:
        lines.append(sentences(report["live"]))
    return "\n".join(lines)


def action_names(source: Source, dim: int) -> tuple[str, ...]:
    """Return the names of the action's numbers from the dataset's embodiment, else a0, a1, ..."""
    from evla_ros.embodiment import action_layout, parse_embodiment

    text = source.dataset.embodiment_text
    if not text:
        return tuple(f"a{i}" for i in range(dim))
    return action_layout(parse_embodiment(text, source="embodiment.yaml")).names


def plot(comparison: Comparison, names: tuple[str, ...], path: Path) -> None:
    """Draw predicted against true first steps, one panel per number of the action."""
    from matplotlib.figure import Figure

    columns = min(7, len(names))
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(2.4 * columns, 2.4 * rows), layout="constrained")
    axes = np.atleast_1d(figure.subplots(rows, columns)).flatten()
    for i, name in enumerate(names):
        true, predicted = comparison.true[:, 0, i], comparison.predicted[:, 0, i]
        axes[i].plot(true, predicted, ".", ms=3, alpha=0.5)
        span = [float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))]
        axes[i].plot(span, span, lw=0.8, color="black")
        axes[i].set_title(name, fontsize=8)
    figure.supxlabel("true")
    figure.supylabel("predicted")
    figure.savefig(path, dpi=110)


def _spread(comparison: Comparison) -> Float:
    real = comparison.true[comparison.valid]
    return np.asarray(np.abs(real - np.median(real, axis=0)).mean(0))
