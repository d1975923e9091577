# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the robot would refuse of a finished checkpoint is refused before the first step."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from evla_ros.embodiment import (
    Embodiment,
    action_layout,
    differences,
    load_embodiment,
    parse_embodiment,
    proprio_layout,
)
from evla_ros.errors import nearest
from evla_ros.settings_errors import Problem
from evla_ros.training.config import TrainConfig
from evla_ros.training.samples.source import Source

# Fields of an embodiment file that change no picture and no number of a dataset.
_FREE = re.compile(
    r"(goal_rate_hz|joint_states|action\.chunk|(instruction|estop)(\..*)?"
    r"|cameras\.\w+\.(topic|transport|max_age_s)"
    r"|arms\[\d+\]\.(goal\..*|limits\..*|pose\.(topic|max_age_s)|gripper\..+)"
    r"|base\.(command|command_type|odometry|limits\..*|max_age_s)"
    r"|axes\[\d+\]\.(command|command_type|state|state_type|limits\..*|max_age_s)): .*"
)


def find_robot(config: TrainConfig, train: Sequence[Source]) -> Embodiment | None:
    """Return the robot that the checkpoint is for.

    It is the one that `embodiment` names, else the one stored with the datasets, else None.
    """
    if config.embodiment:
        return load_embodiment(config.embodiment)
    robots = [robot for source in train if (robot := robot_of(source))]
    return robots[0] if robots else None


def robot_of(source: Source) -> Embodiment | None:
    """Return the robot stored with a dataset, or None."""
    text = source.dataset.embodiment_text
    return parse_embodiment(text, source=f"{source.name}: embodiment.yaml") if text else None


def contract_problems(
    config: TrainConfig, robot: Embodiment | None, train: Sequence[Source]
) -> Iterator[Problem]:
    """Yield what the robot, its datasets and the settings of a run disagree in."""
    if robot is None:
        return
    chunk = config.model.chunk
    if chunk and chunk != robot.action.chunk:
        text = (
            f"{chunk}, but {robot.name!r} plays chunks of {robot.action.chunk} (action.chunk) and "
            "would refuse the checkpoint; leave it out, or change action.chunk in a copy of the "
            "robot's file and name that: embodiment=FILE"
        )
        yield Problem(("model", "chunk"), text)
    for camera in config.model.cameras:
        if camera not in robot.cameras:
            text = f"{robot.name!r} has no camera {camera!r}; {nearest(camera, robot.cameras)}"
            yield Problem(("model", "cameras"), text)
    for source in train:
        for text in _disagreements(config, robot, source):
            yield Problem(("datasets", source.entry), f"dataset {source.name!r} {text}")


def other_versions(robot: Embodiment | None, train: Sequence[Source]) -> list[str]:
    """Return a sentence on every dataset that another robot, or version of its file, recorded."""
    found = []
    for source in train:
        theirs = robot_of(source)
        if robot is None or theirs is None:
            continue
        if theirs.name != robot.name:
            found.append(f"dataset {source.name!r} is of another robot, {theirs.name!r}")
        elif lines := differences(robot, theirs):
            found.append(
                f"dataset {source.name!r} was recorded with another version of the robot's file "
                f"(here: the run, there: the dataset): {_shown(lines)}"
            )
    return found


def _disagreements(config: TrainConfig, robot: Embodiment, source: Source) -> Iterator[str]:
    theirs = robot_of(source)
    if theirs is not None and theirs.name == robot.name:
        lines = differences(robot, theirs)
        if not config.embodiment and lines:
            yield (
                f"was recorded with another version of the file of {robot.name!r}: {_shown(lines)} "
                "(here: the first dataset, there: this one); embodiment=FILE names the robot that "
                "the checkpoint is for"
            )
            return
        unlike = [line for line in lines if not _FREE.fullmatch(line)]
        if unlike:
            yield (
                f"holds other numbers than {robot.name!r} has now: {_shown(unlike)} (here: "
                f"embodiment={config.embodiment}, there: the dataset); convert its bags again"
            )
            return
    elif theirs is not None and not config.embodiment:
        yield (
            f"is of the robot {theirs.name!r}, the first one of {robot.name!r}; embodiment=FILE "
            "names the robot that the checkpoint is for"
        )
        return
    yield from _other_numbers(config, robot, theirs, source)


def _other_numbers(
    config: TrainConfig, robot: Embodiment, theirs: Embodiment | None, source: Source
) -> Iterator[str]:
    first = source.episode(0)
    layout = action_layout(robot)
    if first.action.shape[1] != layout.size:
        yield (
            f"has actions of {first.action.shape[1]} numbers, {robot.name!r} takes {layout.size}: "
            f"{', '.join(layout.names)}"
        )
    elif theirs is not None and action_layout(theirs).units != layout.units:
        yield (
            f"has actions of {', '.join(action_layout(theirs).names)}, {robot.name!r} takes "
            f"{', '.join(layout.names)}"
        )
    state, proprio = first.proprio, proprio_layout(robot)
    if config.model.proprio and state is not None and state.shape[1] != proprio.size:
        yield (
            f"has a state of {state.shape[1]} numbers, {robot.name!r} sends {proprio.size} "
            f"({', '.join(robot.proprio) or 'no proprio'}); model.proprio=false reads none"
        )


def _shown(lines: Sequence[str]) -> str:
    return "; ".join(lines[:4]) + ("; ..." if len(lines) > 4 else "")
