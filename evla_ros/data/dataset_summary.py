# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a dataset, as a JSON-able dict and as lines for a terminal."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import parse_embodiment
from evla_ros.errors import shorten

MOST_INSTRUCTIONS = 5
LONGEST = 200  # letters of a text that a line shows


def describe_dataset(dataset: RldsDataset) -> dict[str, Any]:
    """Read the numbers of every episode and the sizes of its pictures; no picture is decoded.

    Args:
        dataset: The dataset.

    Returns:
        What `dataset_text` prints, in values that JSON has.

    Raises:
        DatasetError: A file or a record is damaged.
    """
    lengths: list[int] = []
    instructions: Counter[str] = Counter()
    failed = 0
    stored: dict[str, list[int]] = {key: [] for key in dataset.features.image_keys}
    listing = []
    for split in dataset.splits:
        for index, episode in enumerate(dataset.episodes(split)):
            lengths.append(len(episode))
            instructions.update(set(episode.instructions))
            failed += not episode.success
            for key, sizes in stored.items():
                sizes.extend(len(data) for data in episode.images[key])
            listing.append(
                {
                    "place": f"{split}/{index}",
                    "episode_id": episode.episode_id,
                    "steps": len(episode),
                    "success": episode.success,
                    "instruction": episode.instruction,
                }
            )
    return {
        "kind": "dataset",
        "name": dataset.name,
        "version": dataset.path.name,
        "path": str(dataset.path),
        "embodiment": _embodiment(dataset),
        "splits": dataset.splits,
        "bytes": sum(split.num_bytes for split in dataset.info.splits.values()),
        "steps": sum(lengths),
        "steps_per_episode": _spread(lengths),
        "failed": failed,
        "instructions": dict(instructions.most_common()),
        "cameras": {
            key: {
                "size": _size(dataset.features.steps[f"observation/{key}"].shape),
                "kilobytes_per_frame": float(np.mean(sizes)) / 1e3 if sizes else 0.0,
            }
            for key, sizes in stored.items()
        },
        "features": {
            key: f"{feature.dtype} {list(feature.shape)}"
            for key, feature in sorted(dataset.features.steps.items())
        },
        "not_read": [k for k, f in dataset.features.steps.items() if f.kind == "unsupported"],
        "episodes": listing,
    }


def dataset_text(description: dict[str, Any], *, episodes: bool = False) -> str:
    """Return what `describe_dataset` found as lines for a terminal.

    Args:
        description: From `describe_dataset`.
        episodes: Add a line for every episode.
    """
    d = description
    spread = d["steps_per_episode"]
    splits = ", ".join(f"{name} {count}" for name, count in d["splits"].items())
    steps = f"per episode {spread['min']} .. {spread['max']}, median {spread['median']:g}"
    lines = [
        f"{d['name']} {d['version']}  ({d['path']})",
        f"  robot              {d['embodiment'] or 'not said (no embodiment.yaml)'}",
        f"  episodes           {sum(d['splits'].values())} ({splits}), {d['failed']} failed",
        f"  steps              {d['steps']}; {steps}",
        f"  size               {d['bytes'] / 1e6:.1f} MB",
    ]
    for key, camera in d["cameras"].items():
        height, width = ("?" if side is None else side for side in camera["size"])
        kilobytes = camera["kilobytes_per_frame"]
        lines.append(f"  {key:<18} {width}x{height}, {kilobytes:.1f} kB a frame")
    numbers = {k: v for k, v in d["features"].items() if "image" not in k and not v.endswith("[]")}
    lines += [f"  {key.removeprefix('observation/'):<18} {kind}" for key, kind in numbers.items()]
    instructions = list(d["instructions"].items())
    lines.append(f"  instructions       {len(instructions)} different")
    for text, count in instructions[:MOST_INSTRUCTIONS]:
        lines.append(f"    {count:4d} x {shorten(text, LONGEST) or '(empty)'}")
    if len(instructions) > MOST_INSTRUCTIONS:
        lines.append(f"    and {len(instructions) - MOST_INSTRUCTIONS} more")
    if d["not_read"]:
        lines.append(f"  not read           {', '.join(d['not_read'])}")
    if episodes:
        lines += [_episode_line(entry) for entry in d["episodes"]]
    return "\n".join(lines)


def _episode_line(entry: dict[str, Any]) -> str:
    outcome = "" if entry["success"] else "  FAILED"
    name, told = (shorten(entry[key], LONGEST) for key in ("episode_id", "instruction"))
    return f"  {entry['place']:<12} {entry['steps']:4d} steps  {name}  {told}{outcome}"


def _size(shape: tuple[int | None, ...]) -> list[int | None]:
    """Return [height, width] of a picture [H, W, 3]; None for a side that is open."""
    return [*shape, None, None][:2]


def _spread(lengths: list[int]) -> dict[str, float]:
    if not lengths:
        return {"min": 0, "median": 0.0, "max": 0}
    return {"min": min(lengths), "median": float(np.median(lengths)), "max": max(lengths)}


def _embodiment(dataset: RldsDataset) -> str:
    if not dataset.embodiment_text:
        return ""
    embodiment = parse_embodiment(dataset.embodiment_text, source=str(dataset.path))
    return f"{embodiment.name} (hash {embodiment.content_hash[:12]}, {embodiment.rate_hz:g} Hz)"
