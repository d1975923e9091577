# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Embodiment files and parameter files of nodes to spoil."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mutations import Random, spoil_yaml
from subject import Call, Subject, replace_file

from evla_ros.shared_files import embodiments_folder


def embodiment(folder: Path) -> Path:
    """Copy the file of the humanoid, which has every section."""
    folder.mkdir(exist_ok=True)
    path = folder / "robot.yaml"
    path.write_bytes((embodiments_folder() / "humanoid_upper_body.yaml").read_bytes())
    return path


def spoil_embodiment(path: Path, random: Random) -> None:
    """Spoil the text, the values, or put something else in its place."""
    if random.random() < 0.02:
        replace_file(path, random)
    else:
        path.write_bytes(spoil_yaml(path.read_bytes(), random))


def embodiment_calls(path: Path, out: Path) -> Sequence[Call]:
    """Return what reads an embodiment file and what is derived from it."""
    return (lambda: _use(path),)


def _use(path: Path) -> None:
    from evla_ros.data.rlds.features import features_for_embodiment
    from evla_ros.embodiment import action_layout, differences, load_embodiment, proprio_layout
    from evla_ros.embodiment.streams import streams_of

    robot = load_embodiment(path)
    shipped = load_embodiment("humanoid_upper_body")
    proprio_layout(robot)
    if not (action_layout(robot).size and robot.content_hash):
        raise AssertionError("an accepted robot without actions")
    features_for_embodiment(robot, 32)
    differences(shipped, robot)
    for stream in streams_of(robot):
        str(stream.key)


EMBODIMENTS = (Subject("embodiment", embodiment, spoil_embodiment, embodiment_calls),)
