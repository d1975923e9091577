# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what is only recorded arrives, and often enough for a column of a dataset."""

from __future__ import annotations

from collections.abc import Iterator

from evla_ros.doctor.robot.looked_at import LookedAt, Problem
from evla_ros.embodiment.streams import makes_column
from evla_ros.errors import nearest


def recorded(looked: LookedAt) -> Iterator[Problem]:
    """Yield what is wrong with a topic of `record`; one without a column is noted only."""
    column = makes_column(looked.stream)
    for seen, fix in _faults(looked, column=column):
        yield Problem(seen, fix, "red" if column else "note")


def _faults(looked: LookedAt, *, column: bool) -> Iterator[tuple[str, str]]:
    seen, topic, age_s = looked.seen, looked.topic, looked.stream.max_age_s
    without = "take it out of `record`"
    if column:
        without += ", or set `column: none`: no episode starts without it"
    if seen is None or not (seen.publishers or seen.count):
        near = nearest(topic, looked.survey.topics) if looked.survey.topics else ""
        what = "nobody publishes it" if looked.survey.live else "not in the bag"
        yield f"{topic}: {what}", f"correct the topic{f' ({near})' if near else ''}, or {without}"
    elif not seen.count:
        what = f"{topic}: no message of {seen.type} was heard"
        yield (
            what,
            f"check its driver, and that {seen.type.split('/')[0]} is installed; or {without}",
        )
    elif age_s is not None and (seen.count < 2 or seen.gap_s > age_s):
        pause = f"a pause of {seen.gap_s:.2f} s" if seen.count > 1 else "one message"
        fix = f"raise its max_age_s ({age_s:g} s), or {without}"
        yield f"{topic}: {pause}: its column costs the steps without a sample", fix
