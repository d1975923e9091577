# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The features of a dataset made from bags: the robot's, sample ages, interventions and origin."""

from __future__ import annotations

from collections.abc import Sequence

from evla_ros.data.convert.columns import aged_streams
from evla_ros.data.convert.extra_columns import ExtraColumn
from evla_ros.data.rlds.features import (
    EXTRA,
    DatasetFeatures,
    Feature,
    features_for_embodiment,
    png_image,
    scalar,
    tensor,
    text,
)
from evla_ros.embodiment import Embodiment


def bag_features(
    embodiment: Embodiment, image_size: tuple[int, int], extras: Sequence[ExtraColumn] = ()
) -> DatasetFeatures:
    """Return the features of the episodes that `build_episodes` makes.

    Args:
        embodiment: The robot.
        image_size: (height, width) of the stored pictures [pixels].
        extras: The columns of what is recorded beside the robot's inputs.
    """
    streams = [str(key) for key in aged_streams(embodiment, [one.name for one in extras])]
    ages = "Age of each stream's sample at the step [s]: " + ", ".join(streams)
    columns = {
        **{EXTRA + one.name: extra_feature(one, image_size) for one in extras},
        "stamp_ns": scalar("int64", "Time of the step on the recording's clock [ns]."),
        "age_s": tensor((len(streams),), "float32", ages),
        "skew_s": scalar("float32", "Newest minus oldest stamp among those streams [s]."),
        "intervention": scalar("bool", "True while a person had taken over from the policy."),
    }
    metadata = {
        "outcome": text("success, failure or unknown, as marked by the operator."),
        "operator": text("Who recorded it; may be empty."),
        "bag": text("Name of the bag folder or file."),
        "bag_hash": text("SHA-256 over topic, time, size and (sampled) CRC-32 of each message."),
        "embodiment_hash": text("SHA-256 of the embodiment file's content."),
        "action_source": text("commanded or achieved: which poses the actions are deltas of."),
        "damage": text("What was lost of a cut-off bag; empty for a sound one."),
        "interventions": scalar("int64", "How often a person took over."),
        "intervention_steps": scalar("int64", "Steps with a person in control."),
        "gaps": scalar("int64", "Gaps in the recording; none of them is inside the episode."),
        "lost_ticks": scalar("int64", "Ticks of the recording without every stream fresh."),
        "idle_steps": scalar("int64", "Steps in which neither command nor robot moved."),
        "worst_age_s": scalar("float32", "Oldest sample used in any step [s]."),
        "worst_skew_s": scalar("float32", "Largest skew between streams in any step [s]."),
    }
    return features_for_embodiment(embodiment, image_size, columns=columns, metadata=metadata)


def extra_feature(column: ExtraColumn, image_size: tuple[int, int]) -> Feature:
    """Return how a column is stored; a depth image has the size of the pictures."""
    where = f"{column.topic} ({column.type})"
    if column.kind == "depth":
        return png_image(*image_size, f"Depth of {where} [mm], 0 where nothing was measured.")
    numbers = ", ".join(
        f"{name} [{unit}]" if unit else name
        for name, unit in zip(column.names, column.units, strict=True)
    )
    return tensor((len(column.names),), "float32", f"{where}: {numbers}")
