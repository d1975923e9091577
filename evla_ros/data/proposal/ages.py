# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How old a measurement may grow before it stops motion, from how it was seen to arrive."""

from __future__ import annotations

from evla_ros.data.survey.topic import SeenTopic

_OLDEST_S = 0.5  # whatever pauses were seen: a robot goes far in more
_PERIODS, _PAUSES = 3.0, 1.5


def motion_age_s(topic: SeenTopic | None, least_s: float = 0.2) -> float:
    """Return max_age_s for a pose, odometry or joint: what its rate and its pauses ask for.

    Args:
        topic: as it was seen; None where nothing was.
        least_s: of a topic that is quick and never pauses.
    """
    if topic is None:
        return least_s
    period_s = 1.0 / topic.rate_hz if topic.rate_hz else 0.0
    age_s = max(least_s, _PERIODS * period_s, _PAUSES * topic.gap_s)
    return round(min(_OLDEST_S, age_s), 2)
