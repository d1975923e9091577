# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether an input arrives: published, of the right type, by one node, often and fresh enough."""

from __future__ import annotations

import os
from collections.abc import Iterator

from evla_ros.data.survey.topic import SeenTopic
from evla_ros.doctor.exposure import discovery
from evla_ros.doctor.robot.looked_at import LookedAt, Problem
from evla_ros.embodiment.streams import Kind
from evla_ros.errors import nearest

_SKEW_S = 1.0
_ALONE = (Kind.CAMERA, Kind.POSE)  # of these a second publisher is a conflict
_MANY = "/tf"


def arrival(looked: LookedAt) -> Iterator[Problem]:
    """Yield what is wrong with how an input arrives."""
    stream, seen = looked.stream, looked.seen
    if seen is None or not (seen.publishers or seen.count):
        yield _absent(looked)
        return
    types = sorted({end.type for end in seen.publishers} or {seen.type})
    if stream.type not in types:
        fix = f"it must be {stream.type}: correct its type or its topic in the file"
        yield Problem(f"{looked.topic}: published as {types[0]}", fix)
        return
    nodes = [end.node for end in seen.publishers]
    if len(nodes) > 1 and stream.key.kind in _ALONE and looked.topic != _MANY:
        who = " and ".join(sorted(nodes)) if looked.survey.live else f"{len(nodes)} nodes"
        yield Problem(f"{looked.topic}: published by {who}", "stop all but one of them")
    if stream.rate_hz:
        yield from _pace(looked, seen)
    if seen.problems:
        fix = "correct its type in the file, or the driver that sends this"
        some = f"{seen.problems} of {seen.count} messages cannot be read"
        yield Problem(f"{looked.topic}: {some}: {seen.problem}", fix)


def _absent(looked: LookedAt) -> Problem:
    survey = looked.survey
    alike = [name for name, topic in survey.topics.items() if topic.type == looked.stream.type]
    near = nearest(looked.topic, alike) if alike else ""
    if not survey.live:
        hint = f"; {near}" if near else f"; no topic of the bag is a {looked.stream.type}"
        return Problem(f"{looked.topic}: not in the bag", f"correct the topic in the file{hint}")
    fix = "start its driver, or correct the topic in the embodiment file"
    fix += f" ({near})" if near else ""
    if discovery(os.environ).local:
        fix += "; on another machine it is invisible from here (docs/network.md)"
    return Problem(f"{looked.topic}: nobody publishes it", fix)


def _pace(looked: LookedAt, seen: SeenTopic) -> Iterator[Problem]:
    stream, topic = looked.stream, looked.topic
    if seen.count < 2:
        some = f"{seen.count} messages in {looked.survey.span_s:.0f} s"
        yield Problem(f"{topic}: {some}", "check that its driver runs and is not paused")
        return
    if seen.rate_hz < 0.9 * stream.rate_hz:
        fix = f"the policy acts at {stream.rate_hz:g} Hz: raise the driver's rate, or lower rate_hz"
        yield Problem(f"{topic}: {seen.rate_hz:.1f} Hz", fix)
    elif stream.max_age_s is not None and seen.gap_s > stream.max_age_s:
        seen_gap = f"{topic}: a pause of {seen.gap_s:.2f} s, and {stream.max_age_s:g} s stop motion"
        yield Problem(seen_gap, "find why the driver pauses (cable, load), or raise max_age_s")
    delay_s = seen.delay_s
    if delay_s is not None and abs(delay_s) > _SKEW_S:
        where = "behind" if delay_s > 0 else "ahead of"
        told = f"{topic}: stamped {abs(delay_s):.2f} s {where} their arrival"
        fix = "synchronise the clocks (chrony); a camera's own clock: stamp_source: receipt"
        yield Problem(told, fix)
    elif delay_s is not None and stream.max_age_s is not None and delay_s > stream.max_age_s:
        told = f"{topic}: arrives {delay_s:.2f} s after its stamp, and is then too old"
        yield Problem(told, f"shorten the way, or raise max_age_s above {delay_s:.1f}")
    elif seen.unstamped:
        told = f"{topic}: {seen.unstamped} of {seen.count} messages have no stamp"
        fix = "let the driver stamp them; until then their time is their arrival"
        yield Problem(told, fix, "note")
