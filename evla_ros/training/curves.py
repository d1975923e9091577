# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The curves of a run as one PNG: loss, token accuracy and L1, training and held-out."""

from __future__ import annotations

from pathlib import Path

from evla_ros.training.metrics import accuracy_of, read_metrics

FILE = "curves.png"


def plot_curves(folder: Path) -> Path | None:
    """Draw `curves.png` of a run; return None when there is nothing to draw or no matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return None
    entries = read_metrics(folder)
    train = [e for e in entries if "loss" in e]
    held_out = [e for e in entries if "val" in e]
    if not train:
        return None
    figure = Figure(figsize=(12, 3.6), layout="constrained")
    keys = ["loss", "token_accuracy", *(["l1"] if train[0]["l1"] else [])]
    axes = figure.subplots(1, len(keys))
    for axis, key in zip(axes, keys, strict=True):
        axis.plot(
            [e["step"] for e in train], [_value(e, key) for e in train], lw=0.8, label="train"
        )
        for name in sorted({n for e in held_out for n in e["val"]}):
            points = [
                (e["step"], _value(e["val"][name], key)) for e in held_out if name in e["val"]
            ]
            axis.plot(*zip(*points, strict=True), lw=1.6, label=f"held-out {name}")
        axis.set_title(
            {
                "loss": "loss",
                "token_accuracy": "token accuracy",
                "l1": "mean L1 (m, rad, 1)",
            }[key]
        )
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    figure.savefig(folder / FILE, dpi=110)
    return folder / FILE


def _value(entry: dict, key: str) -> float:  # type: ignore[type-arg]
    value = accuracy_of(entry) if key == "token_accuracy" else entry[key]
    return float(sum(value.values()) / len(value)) if isinstance(value, dict) else float(value)
