# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint on held-out episodes, through the predictor that serves it on a robot."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evla_ros.training.errors import TrainingError
from evla_ros.training.evaluation.offline_settings import OfflineEvaluation
from evla_ros.training.evaluation.parity import AskLive, check_parity, sentences

if TYPE_CHECKING:
    from evla_ros.model.action_tokenizer import ActionTokenizer
    from evla_ros.model.predictor import Predictor
    from evla_ros.training.samples.source import Source

Float = npt.NDArray[np.float64]
TOKENS_WITHIN = 4


@dataclass(frozen=True, eq=False)
class Comparison:
    """The answers to N frames beside the recorded actions.

    Attributes:
        predicted: Answered chunks [N, K, D] in metres, radians and gripper openings.
        true: The recorded ones, likewise.
        valid: [N, K] False past the end of an episode.
        episode: [N] the episode of each frame.
        step: [N] its step in it.
        inference_ms: [N] how long each answer took.
    """

    predicted: Float
    true: Float
    valid: npt.NDArray[np.bool_]
    episode: npt.NDArray[np.int64]
    step: npt.NDArray[np.int64]
    inference_ms: Float


def evaluate_offline(asked: OfflineEvaluation, ask_live: AskLive | None = None) -> dict[str, Any]:
    """Compare a checkpoint with a dataset, write the folder when one is named, return the report.

    Args:
        asked: The checkpoint and the frames.
        ask_live: Shows frames to the live policy node; None leaves that comparison out.

    Raises:
        TrainingError: The folder exists, or the live node is to use another head than its own.
        TrainingDataError: The dataset does not fit the checkpoint.
    """
    from evla_ros.training.samples.source import Source

    if asked.out is not None and asked.out.exists():
        raise TrainingError(f"{str(asked.out)!r} exists; choose another folder")
    source = Source(asked.dataset, asked.split, asked.transform)
    predictor = load_predictor(
        asked.policy, source.name, asked.output, asked.device, runtime=asked.runtime
    )
    names = action_names(source, predictor.action_dim)
    comparison = compare(predictor, source, asked.frames)
    report = summarize(comparison, predictor, names)
    if ask_live is not None:
        if asked.output not in (None, predictor.config.action.output):
            raise TrainingError(
                "--live asks the node, which uses the checkpoint's own head; leave out --output"
            )
        report["live"] = check_parity(predictor, source, asked.live, ask_live).report()
    if asked.out is not None:
        asked.out.mkdir(parents=True)
        (asked.out / "report.json").write_text(json.dumps(report, indent=1) + "\n")
        plot(comparison, names, asked.out / "predicted_vs_true.png")
    return report


def load_predictor(
    checkpoint: str | Path,
    dataset: str,
    output: Any = None,
    device: str = "cpu",
    dtype: str | None = None,
    runtime: str | None = None,
) -> Predictor:
    """Load a checkpoint with the statistics for a dataset.

    Args:
        checkpoint: The checkpoint folder.
        dataset: Name of the dataset; without an entry of its own the only one is taken, or that of
            the robot.
        output: The head that answers; None takes the checkpoint's.
        device: Where the network runs.
        dtype: Number format of the weights; None keeps the stored one.
        runtime: As of `Predictor`.
    """
    from evla_ros.model.normalization import DatasetStatistics
    from evla_ros.model.predictor import Predictor

    file = Path(checkpoint) / "dataset_statistics.json"
    known = DatasetStatistics.read(file).datasets if file.is_file() else {}
    key = dataset if dataset in known else None
    return Predictor(checkpoint, device, dtype, output=output, statistics_key=key, runtime=runtime)


def compare(predictor: Predictor, source: Source, frames: int) -> Comparison:
    """Predict frames that are spread evenly over a split.

    Args:
        predictor: The checkpoint.
        source: The split.
        frames: How many frames, at most.

    Raises:
        TrainingDataError: The dataset does not fit the checkpoint.
    """
    from evla_ros.training.samples.sample import own_answer

    source.check(predictor.action_dim, predictor.config.proprio_dim, predictor.config.image.cameras)
    numbers = np.unique(np.linspace(0, len(source) - 1, min(frames, len(source))).astype(int))
    rows: list[tuple[Any, ...]] = []
    predictor.check_answer()
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
    """Return the report of a comparison.

    `l1` and `l1_first_step` are mean absolute errors of each number in its unit, `spread` is the
    error of always predicting the median. `token_accuracy` is the share of numbers in the right one
    of the 256 bins, the quantity that training reports under that name.
    """
    mask = comparison.valid[..., None]
    away = np.abs(comparison.predicted - comparison.true) * mask
    counts = comparison.valid.sum()
    normalizer = predictor.action_normalizer
    tokenizer = predictor.action_tokenizer
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
        "head": predictor.output or predictor.config.action.output,
        "token_accuracy": float((apart == 0).mean()),
        f"tokens_within_{TOKENS_WITHIN}": float((apart <= TOKENS_WITHIN).mean()),
    }


def comparable_ids(tokenizer: ActionTokenizer, normalized: Float) -> npt.NDArray[np.int64]:
    """Return the token ids of normalised actions, with the two highest bins as one.

    The two decode to one value: an answered open gripper would never equal the true 1.0.
    """
    return tokenizer.encode(tokenizer.decode(tokenizer.encode(normalized)))


def table(report: dict[str, Any]) -> str:
    """Return the report as text."""
    lines = [f"{'number':<16} {'L1':>10} {'first step':>11} {'median only':>11}"]
    for name, value in report["l1"].items():
        first, spread = report["l1_first_step"][name], report["spread"][name]
        lines.append(f"{name:<16} {value:>10.5f} {first:>11.5f} {spread:>11.5f}")
    right, near = report["token_accuracy"], report[f"tokens_within_{TOKENS_WITHIN}"]
    lines.append(
        f"{report['frames']} frames of {report['episodes']} episodes; "
        f"tokens {100 * right:.1f} % (head {report['head']}), within {TOKENS_WITHIN} bins "
        f"{100 * near:.1f} %; "
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
