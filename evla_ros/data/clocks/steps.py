# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find where a clock was set (by NTP, a reset simulation, a looped replay) during a recording.

Stamps that go on at another distance from the receive times show it. A few late messages do not:
their successors are back at the old distance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evla_ros.data.clocks.track import IntArray, Track, local_median
from evla_ros.units import SECOND_NS

AROUND = 5  # messages before and after a step that are compared
SMALLEST_NS = 5_000_000
SMALLEST_FORWARD_NS = 50_000_000
TOGETHER_NS = SECOND_NS  # streams that step within this time step together
NEAR_NS = 2 * SECOND_NS
FEWEST_AFTER = 3
CLEAR = 3.0  # how far a step stands out from the usual differences between delays
_USUAL_DISORDER = 0.01  # share of messages that were received before their predecessor
_TOPICS_SEEN = 200  # messages around a step whose topics are compared


@dataclass(frozen=True)
class ClockStep:
    """One setting of a clock.

    Attributes:
        number: The first message that was stamped after it.
        receive_ns: When that was received [ns].
        change_ns: What the stamps were set by [ns]; negative for a step back.
        streams: The streams whose stamps step.
        whole: Whether they are (as good as) all; then the recording can be cut there.
    """

    number: int
    receive_ns: int
    change_ns: int
    streams: tuple[str, ...]
    whole: bool

    def sentence(self) -> str:
        """Return which clock is set, and by how much."""
        way = "back" if self.change_ns < 0 else "forward"
        seconds = abs(self.change_ns) / SECOND_NS
        return f"the clock of {', '.join(self.streams)} is set {way} by {seconds:.2f} s"


def clock_steps(tracks: Mapping[str, Track]) -> list[ClockStep]:
    """Return the steps of the clocks of a recording, in order.

    A step back of any stream is one; a step forward (at least 50 ms) only where several streams
    make it.

    Args:
        tracks: The times of each stream, without odd stamps.
    """
    found = sorted(step for name, track in tracks.items() for step in _own_steps(name, track))
    steps: list[ClockStep] = []
    while found:
        first = found[0]
        together = [s for s in found if _same(s, first)]
        found = [s for s in found if not _same(s, first)]
        change = -int(np.median([s.shift_ns for s in together]))
        names = {s.stream for s in together}
        judged = {name: _shift(track, first.receive_ns) for name, track in tracks.items()}
        known = {name: shift for name, shift in judged.items() if shift is not None}
        names |= {n for n, s in known.items() if s * -change > 0 and abs(s) >= abs(change) / 2}
        whole = 2 * len(names) > len(names | known.keys())
        if change < 0 or (whole and len({s.stream for s in together}) > 1):
            number = min(
                _first_number(tracks[name], first, change) for name in names if name in tracks
            )
            steps.append(ClockStep(number, first.receive_ns, change, tuple(sorted(names)), whole))
    return steps


def receive_steps(number: IntArray, receive_ns: IntArray, topic: IntArray) -> list[int]:
    """Return the numbers of the messages at which the recorder's own clock was set back.

    Args:
        number: [N] place of every message in the recording.
        receive_ns: [N] receive times in that order [ns].
        topic: [N] a number for each message's topic. Topics that lie one after the other in a
            merged file begin anew without any step.
    """
    steps: list[int] = []
    start = 0
    while (at := _first_step(receive_ns[start:], topic[start:])) is not None:
        start += at
        steps.append(int(number[start]))
    return steps


def _first_step(receive_ns: IntArray, topic: IntArray) -> int | None:
    if len(receive_ns) < 2:
        return None
    behind = np.maximum.accumulate(receive_ns) - receive_ns
    falls = np.diff(receive_ns) < 0
    least = 2 * SMALLEST_NS
    if falls.mean() > _USUAL_DISORDER:  # a recorder that does not write in order
        least = max(least, 4 * int(np.median(-np.diff(receive_ns)[falls])))
    for at in (np.flatnonzero(falls & (behind[1:] > least)) + 1).tolist():
        after = behind[at : at + FEWEST_AFTER]
        if len(after) < FEWEST_AFTER or not bool((after > behind[at] // 2).all()):
            continue
        earlier, later = slice(max(0, at - _TOPICS_SEEN), at), slice(at, at + _TOPICS_SEEN)
        before = set(topic[earlier].tolist())
        again = before & set(topic[later].tolist())
        if 2 * len(again) > len(before) and _falls_within_topics(receive_ns, topic, earlier, later):
            return int(at)
    return None


def _falls_within_topics(
    receive_ns: IntArray, topic: IntArray, earlier: slice, later: slice
) -> bool:
    """Return whether a topic's messages were received before its own earlier ones.

    A busy recorder that empties the queue of one topic after that of another writes old receive
    times after new ones, but never so within a topic; a clock that is set back does both.
    """
    newest = dict(zip(topic[earlier].tolist(), receive_ns[earlier].tolist(), strict=True))
    pairs = zip(topic[later].tolist(), receive_ns[later].tolist(), strict=True)
    return any(stamp < newest.get(name, stamp) for name, stamp in pairs)


@dataclass(frozen=True, order=True)
class _OwnStep:
    receive_ns: int
    number: int
    shift_ns: int  # of the delay: positive when the stamps step back
    stream: str


def _own_steps(name: str, track: Track) -> list[_OwnStep]:
    delay, stamp = track.delay_ns, track.stamp_ns
    if len(track) < 2 * AROUND:
        return []
    usual = int(np.median(np.abs(np.diff(delay))))
    spread = delay - local_median(delay - int(delay.min())) - int(delay.min())
    clear = int(CLEAR * np.percentile(np.abs(spread), 75))
    forward = max(SMALLEST_FORWARD_NS, 5 * usual)
    back = np.diff(stamp) < 0
    # After a pause of the recorder what has waited comes at once: delays fall, stamps go on evenly.
    ahead = np.diff(stamp) - int(np.median(np.diff(stamp))) > forward // 2
    candidates = np.flatnonzero(back | (ahead & (np.diff(delay) < -forward))) + 1
    steps = []
    for at in candidates.tolist():
        before, after = delay[max(0, at - AROUND) : at], delay[at : at + AROUND]
        if len(after) < FEWEST_AFTER or not len(before):
            continue
        shift = int(np.median(after) - np.median(before))
        fell = int(stamp[at - 1] - stamp[at])
        least = max(SMALLEST_NS, fell // 2) if fell > 0 else forward // 2
        beyond = (after - np.median(before)) * np.sign(shift) > abs(shift) / 2
        if (
            abs(shift) >= max(least, clear)
            and (shift > 0) == (fell > 0)
            and bool(beyond.mean() >= 0.8)
        ):
            steps.append(_OwnStep(int(track.receive_ns[at]), int(track.number[at]), shift, name))
    return steps


def _first_number(track: Track, step: _OwnStep, change_ns: int) -> int:
    """Return the first message of a stream that was stamped after a step.

    A slow stream shows no stamp that falls back; the messages around the step tell by their delay.
    """
    apart, delay = track.receive_ns - step.receive_ns, track.delay_ns
    before = delay[(apart < 0) & (apart >= -NEAR_NS)]
    if not len(before):
        return step.number
    middle = float(np.median(before)) - change_ns / 2
    stepped = (delay > middle) if change_ns < 0 else (delay < middle)
    near = stepped & (np.abs(apart) < TOGETHER_NS) & (track.number < step.number)
    return int(track.number[near].min()) if near.any() else step.number


def _same(a: _OwnStep, b: _OwnStep) -> bool:
    near = abs(a.receive_ns - b.receive_ns) <= TOGETHER_NS
    alike = a.shift_ns * b.shift_ns > 0 and abs(a.shift_ns - b.shift_ns) <= abs(b.shift_ns) / 2
    return near and alike


def _shift(track: Track, receive_ns: int) -> int | None:
    """Return by how much a stream's delay changes at a time; None where it has too few messages."""
    apart = track.receive_ns - receive_ns
    before = track.delay_ns[(apart < 0) & (apart >= -NEAR_NS)][-AROUND:]
    after = track.delay_ns[(apart >= 0) & (apart < NEAR_NS)][:AROUND]
    if min(len(before), len(after)) < FEWEST_AFTER:
        return None
    return int(np.median(after) - np.median(before))
