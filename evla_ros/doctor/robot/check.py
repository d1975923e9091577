# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All rows about one robot: every stream of its file, in order or with each problem and its fix."""

from __future__ import annotations

from collections.abc import Iterator

from evla_ros.data.survey.survey import Survey
from evla_ros.doctor.finding import MachineFinding, ok
from evla_ros.doctor.robot import commands, values
from evla_ros.doctor.robot.arrival import arrival
from evla_ros.doctor.robot.looked_at import LookedAt, Problem, look_at
from evla_ros.doctor.robot.recorded import recorded
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import Direction, Kind, Role, Stream, action_goals, streams_of

SUBJECTS = {Direction.INPUT: "topics", Direction.OUTPUT: "commands"}


def topics_of(embodiment: Embodiment) -> list[str]:
    """Return every topic that a check listens to."""
    return list(streams_of(embodiment).by_topic())


def check(embodiment: Embodiment, survey: Survey, namespace: str = "/") -> Iterator[MachineFinding]:
    """Yield the rows; a stream without a problem is one row, else each problem is one.

    Args:
        embodiment: The file.
        survey: What was seen of its topics.
        namespace: Of the robot in the graph.
    """
    streams = [stream for stream in streams_of(embodiment) if _matters(stream, embodiment)]
    streams += action_goals(embodiment)
    for stream in sorted(streams, key=lambda s: s.role.direction is Direction.OUTPUT):
        looked = look_at(embodiment, survey, stream, namespace)
        subject = SUBJECTS[stream.role.direction]
        problems = list(_problems(looked))
        for seen, fix, status in problems:
            yield MachineFinding(subject, looked.name, status, seen, fix)
        if not problems:
            yield ok(subject, looked.name, _summary(looked))


def _matters(stream: Stream, embodiment: Embodiment) -> bool:
    """Return whether motion or data depend on a stream: what people say may come later."""
    if stream.key.kind is Kind.JOINTS:
        return any(arm.joints for arm in embodiment.arms)
    return stream.role is not Role.CONTROL and (
        stream.role is Role.RECORD
        or stream.required
        or stream.role.direction is Direction.OUTPUT
        or _is_static(stream)
    )


def _is_static(stream: Stream) -> bool:
    return stream.key.kind is Kind.TF_STATIC


def _problems(looked: LookedAt) -> Iterator[Problem]:
    if looked.stream.role.direction is Direction.OUTPUT:
        yield from commands.commands(looked)
    elif looked.stream.role is Role.RECORD:
        yield from recorded(looked)
    elif _is_static(looked.stream):
        yield from _static(looked)
    else:
        for problem in arrival(looked):
            yield problem if looked.stream.required else problem._replace(status="note")
        yield from values.values(looked)


def _static(looked: LookedAt) -> Iterator[Problem]:
    """A robot may have no static transform; one that is not latched reaches only who was there."""
    for end in looked.seen.publishers if looked.seen is not None else ():
        if end.latched is False:
            what = f"{looked.topic}: {end.node or 'its publisher'} does not latch it"
            fix = "publish it transient local (as static_transform_publisher does)"
            yield Problem(what, f"{fix}, or nodes that start later never get it")


def _summary(looked: LookedAt) -> str:
    if looked.stream.role.direction is Direction.OUTPUT:
        return commands.summary(looked)
    if _is_static(looked.stream):
        return f"{looked.topic}: {looked.seen.count if looked.seen is not None else 0} messages"
    return values.summary(looked)
