# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read a dataset: its episodes, steps, pictures and the meaning of its numbers.

    python examples/read_dataset.py datasets/tabletop_arm

Works for every RLDS dataset in TFDS's layout, also those of others, without TensorFlow.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from evla_ros import RldsDataset, load_embodiment
from evla_ros.embodiment import action_layout


def main(folder: str) -> int:
    """Print what is in the dataset; 0 when it has an episode."""
    dataset = RldsDataset.open(folder)
    print(f"{dataset.name}: " + ", ".join(f"{n} in {split}" for split, n in dataset.splits.items()))

    for split in dataset.splits:
        for episode in dataset.episodes(split):
            told = "solved" if episode.success else "not solved"
            name = f"{split} {episode.episode_id}"
            print(f"  {name}: {len(episode)} steps, {told}: {episode.instruction}")

    split = next((name for name, count in dataset.splits.items() if count), "")
    if not split:
        return 1
    episode = dataset.episode(split, 0)
    for camera in episode.camera_keys:
        picture = episode.image(camera, 0)  # uint8 [height, width, 3], RGB; decoded only now
        print(f"{camera}: {picture.shape[1]} x {picture.shape[0]}, mean {picture.mean():.0f}")

    # The robot is stored with the dataset; it names the numbers.
    robot = load_embodiment(Path(dataset.path) / "embodiment.yaml")
    layout = action_layout(robot)
    moved = np.abs(episode.action).sum(axis=0)  # action: [steps, numbers]
    for name, unit, way in zip(layout.names, layout.units, moved, strict=True):
        print(f"{name:>12} [{unit}]: {way:.3f} in all")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("name one dataset, such as datasets/tabletop_arm")
    raise SystemExit(main(sys.argv[1]))
