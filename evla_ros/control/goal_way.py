# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The way ahead of an arm whose consumer takes trajectories: what its goals would be, in advance.

Such a consumer begins where the arm is, has no limits and goes on by itself. So every waypoint has
gone through the limits of the arm, one goal period after the other, from the measured pose on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from evla_ros.control.limited_goal import LimitedGoal
from evla_ros.control.limits import LimitValues
from evla_ros.control.limits.motion import turn_between
from evla_ros.control.tick_clock import Elapsed
from evla_ros.geometry import Pose, TimedPose, Way, distance
from evla_ros.units import SECOND_NS

_LONGEST_NS = 10 * SECOND_NS  # to come to rest; far beyond what any limits need


def way_along(
    goal: LimitedGoal, wanted: Callable[[int], Pose], times_ns: Sequence[int], period_ns: int
) -> Way:
    """Return the way along goals that are wanted at times, and on until it rests at the last.

    Args:
        goal: Where the way begins, and its velocity there; it is moved.
        wanted: The goal wanted some time after the start [ns].
        times_ns: Of the waypoints after the start: at least one, strictly increasing, above 0.
        period_ns: Between two goals; limits are applied that often, and waypoints to come to rest
            are that far apart when `times_ns` holds a single one.
    """
    way: list[TimedPose] = []
    for before_ns, time_ns in pairwise([0, *times_ns]):
        way.append(TimedPose(time_ns, _advance(goal, wanted, (before_ns, time_ns), period_ns)))
    last, time_ns = wanted(times_ns[-1]), times_ns[-1]
    spacing_ns = max(period_ns, time_ns - (times_ns[-2] if len(times_ns) > 1 else 0))
    while not goal.rests and time_ns < times_ns[-1] + _LONGEST_NS:
        span = (time_ns, time_ns + spacing_ns)
        time_ns += spacing_ns
        way.append(TimedPose(time_ns, _advance(goal, lambda _: last, span, period_ns)))
    return tuple(way)


def way_to(goal: Pose, measured: Pose | None, values: LimitValues, least_ns: int) -> Way:
    """Return the way of one pose, no faster than the limits on speed from where the arm is."""
    if measured is None:
        return (TimedPose(least_ns, goal),)
    metres, radians = distance(measured, goal)
    seconds = max(metres / values.max_speed_m_s, radians / values.max_rotation_rad_s)
    return (TimedPose(max(least_ns, round(seconds * SECOND_NS)), goal),)


def _advance(
    goal: LimitedGoal, wanted: Callable[[int], Pose], span: tuple[int, int], period_ns: int
) -> Pose:
    """Move the goal through a span of time in equal steps of about a goal period."""
    begin_ns, end_ns = span
    steps = max(1, round((end_ns - begin_ns) / period_ns))
    dt_s = (end_ns - begin_ns) / steps / SECOND_NS
    pose, before = goal.pose, wanted(begin_ns)
    for step in range(1, steps + 1):
        desired = wanted(begin_ns + (end_ns - begin_ns) * step // steps)
        target = (
            (desired.position_m - before.position_m) / dt_s,
            turn_between(before, desired) / dt_s,
        )
        pose, before = goal.step(desired, Elapsed(dt_s, dt_s), target), desired
    assert pose is not None  # noqa: S101 - a step was made
    return pose
