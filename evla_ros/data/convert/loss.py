# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much of a recording did not become steps, which stream is to blame, and what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from evla_ros.data.convert.bag_streams import BagStream
from evla_ros.data.convert.survey import StreamSurvey, Survey

MAX_LOSS = 0.1  # share of the ticks above which a kept bag is no success
SHOWN = 3


def stale_text(
    stale: Mapping[str, int],
    late: Mapping[str, float],
    hints: Mapping[str, str],
    cuts: int = 0,
) -> str:
    """Return which streams made ticks fall out, the worst first, and what would help.

    Args:
        stale: Ticks without a fresh sample, by stream.
        late: By how much a stream begins after the others [s].
        hints: What is known of a stream's rhythm, by stream.
        cuts: How often the recording is cut, because a clock was set.
    """
    worst = sorted(stale.items(), key=lambda item: -item[1])[:SHOWN]
    parts = []
    if worst:
        parts.append("stale: " + ", ".join(f"{name} in {count} ticks" for name, count in worst))
    parts += [f"{name} begins {seconds:.1f} s after the others" for name, seconds in late.items()]
    parts += [f"cut {cuts} time(s), where a clock was set"] if cuts else []
    named = [name for name, _ in worst[:1]]
    parts += [hints[name] for name in named if name in hints]
    return "; ".join(parts) or "no stream was stale"


def rhythm_hints(streams: Sequence[BagStream], survey: Survey) -> dict[str, str]:
    """Return a sentence about the rhythm of every stream that is slower than its `max_age_s`."""
    hints = {}
    for one in streams:
        age_s, name = one.stream.max_age_s, str(one.stream.key)
        rhythm = survey.streams.get(name)
        if age_s is not None and rhythm is not None and rhythm.largest_gap_s > age_s:
            hints[name] = _hint(name, rhythm, age_s)
    return hints


def _hint(name: str, rhythm: StreamSurvey, age_s: float) -> str:
    pause = f"{name} pauses for up to {rhythm.largest_gap_s:.2f} s, its max_age_s is {age_s:g}"
    if rhythm.on_change:
        return (
            f"{pause}: it seems to be published on change, then --hold {name} keeps its last value "
            "(the policy node needs it published all the time)"
        )
    return pause
