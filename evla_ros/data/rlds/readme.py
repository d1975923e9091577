# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The README.md inside a dataset folder: what it holds and how to load it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evla_ros.data.rlds.dataset_info import DatasetInfo, format_version
from evla_ros.data.rlds.features import DatasetFeatures, Feature
from evla_ros.data.rlds.narrow_spans import treatment
from evla_ros.data.rlds.oxe_snippets import SNIPPET_FILE


def dataset_readme(
    info: DatasetInfo,
    features: DatasetFeatures,
    statistics: dict[str, Any] | None,
    action_names: Sequence[str],
) -> str:
    """Return the Markdown text; the same dataset gives the same text."""
    episodes = sum(split.episodes for split in info.splits.values())
    steps = f", {statistics['num_transitions']} steps" if statistics else ""
    lines = [
        f"# {info.name} {format_version(info.version)}",
        "",
        *([info.description, ""] if info.description else []),
        f"RLDS dataset in the TFDS layout: {episodes} episodes{steps}.",
        "",
        "| split | episodes | shards | MB |",
        "|---|---|---|---|",
    ]
    for split in info.splits.values():
        size = split.num_bytes / 1e6
        lines.append(
            f"| {split.name} | {split.episodes} | {len(split.shard_lengths)} | {size:.1f} |"
        )
    lines += ["", "| per step | kind | shape | dtype |", "|---|---|---|---|"]
    lines += [_feature_row(key, feature) for key, feature in sorted(features.steps.items())]
    if features.metadata:
        lines += ["", "| per episode | kind | shape | dtype |", "|---|---|---|---|"]
        lines += [_feature_row(key, feature) for key, feature in sorted(features.metadata.items())]
    if statistics is not None:
        lines += _action_table(statistics["action"], action_names)
    lines += [
        "",
        "Read it with `tfds.builder_from_directory(<this folder>)`, or without TensorFlow with",
        "`evla_ros.data.rlds.reader.RldsDataset.open(<this folder>)`.",
        f"OpenVLA, OpenVLA-OFT and Octo load it by name with the lines of `{SNIPPET_FILE}`.",
        "`dataset_statistics.json` is computed over all splits; its key is the `unnorm_key`.",
        "",
    ]
    return "\n".join(lines)


def _feature_row(key: str, feature: Feature) -> str:
    shape = "x".join(str(size) for size in feature.shape) or "-"
    return f"| `{key}` | {feature.kind} | {shape} | {feature.dtype} |"


def _action_table(action: dict[str, Any], names: Sequence[str]) -> list[str]:
    lines = ["", "| action | mean | std | q01 | q99 | normalised |", "|---|---|---|---|---|---|"]
    for index, mean in enumerate(action["mean"]):
        name = names[index] if index < len(names) else str(index)
        numbers = (mean, action["std"][index], action["q01"][index], action["q99"][index])
        cells = " | ".join(f"{number:.4g}" for number in numbers)
        lines.append(f"| {name} | {cells} | {treatment(action, index)} |")
    return lines
