# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of a dataset's columns, from the features that the converter writes."""

from __future__ import annotations

from collections.abc import Mapping

from evla_ros.data.convert.dataset_features import bag_features
from evla_ros.data.rlds.features import Feature
from evla_ros.embodiment import load_embodiment

ROBOT = "tabletop_arm"
HEAD = f"""# Dataset columns

What `evla convert` writes for the robot `{ROBOT}`; other robots have other cameras and more
numbers. Files, splits and how to read them: [datasets](../dataset.md).
"""


def page() -> str:
    """Return the page as Markdown."""
    features = bag_features(load_embodiment(ROBOT), (224, 224))
    parts = [
        HEAD,
        "## Of every step\n\n" + _table(features.steps),
        "## Of every episode\n\nUnder `episode_metadata/`.\n\n" + _table(features.metadata),
    ]
    return "\n\n".join(parts) + "\n"


def _table(features: Mapping[str, Feature]) -> str:
    rows = ["| column | type | shape | meaning |", "|---|---|---|---|"]
    for name, one in features.items():
        shape = " x ".join(map(str, one.shape))
        kind = f"{one.dtype}, {one.encoding}" if one.kind == "image" else one.dtype
        rows.append(f"| `{name}` | {kind} | {shape} | {one.description} |")
    return "\n".join(rows)
