# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the topics of an embodiment are alive, and say what its file says, on the graph."""

from __future__ import annotations

from collections.abc import Iterator

from evla_ros.doctor.finding import MachineFinding, red
from evla_ros.doctor.robot.check import check as check_robot
from evla_ros.doctor.robot.check import topics_of
from evla_ros.embodiment import Embodiment


def check(
    embodiment: Embodiment, listen_s: float = 3.0, namespace: str = "/"
) -> Iterator[MachineFinding]:
    """Listen to every stream for `listen_s` seconds and judge it; namespace: the robot's."""
    from evla_ros.ros.graph_survey import survey_graph

    survey, problems = survey_graph(listen_s, namespace, topics_of(embodiment))
    for sentence in problems:
        fix = "install the package of its messages, or give the pose as a topic"
        yield red("topics", "messages", sentence, fix)
    yield from check_robot(embodiment, survey, namespace)
