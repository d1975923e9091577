# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The grid is causal, exact, independent of arrival order within the window, and marks gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evla_ros.data.alignment.aligner import (
    AlignmentError,
    CausalAligner,
    StreamRule,
    tick_time_ns,
)
from evla_ros.data.alignment.spans import Span, complete_spans, longest
from evla_ros.data.alignment.stream_buffer import StampedSample, StreamBuffer

MS = 1_000_000
SECOND = 1_000_000_000


def align(streams, rate=10.0, tolerance=200 * MS, delays=None, reorder=500 * MS):
    """streams: name -> stamps. Feed in order of stamp + delay; return all ticks."""
    aligner = CausalAligner({n: StreamRule(tolerance) for n in streams}, rate, reorder)
    delays = delays or {}
    events = sorted(
        (stamp + delays.get(name, [0] * len(stamps))[i], name, stamp)
        for name, stamps in streams.items()
        for i, stamp in enumerate(stamps)
    )
    ticks = []
    for receive, name, stamp in events:
        aligner.push(name, stamp, receive, stamp)
        ticks.extend(aligner.ticks())
    return [*ticks, *aligner.finish()]


stamps = st.lists(st.integers(0, 5000), min_size=1, max_size=60, unique=True).map(sorted)


@given(a=stamps, b=stamps, rate=st.sampled_from([3.0, 10.0, 30.0]))
@settings(max_examples=60, deadline=None)
def test_every_tick_holds_exactly_the_newest_earlier_sample(a, b, rate):
    streams = {"a": [x * MS for x in a], "b": [x * MS for x in b]}
    ticks = align(streams, rate)
    origin = max(streams["a"][0], streams["b"][0])
    for index, tick in enumerate(ticks):
        assert tick.index == index
        assert tick.stamp_ns == tick_time_ns(origin, index, rate)
        for name, all_stamps in streams.items():
            expected = max((s for s in all_stamps if s <= tick.stamp_ns), default=None)
            assert tick.payload(name) == expected
            stale = tick.stamp_ns - expected > 200 * MS
            assert (name in tick.stale) == stale
    end = max(streams["a"][-1], streams["b"][-1])
    assert tick_time_ns(origin, len(ticks), rate) > end >= ticks[-1].stamp_ns


@given(
    delays=st.lists(st.integers(0, 240), min_size=40, max_size=40),
    other=st.lists(st.integers(0, 240), min_size=40, max_size=40),
)
@settings(max_examples=60, deadline=None)
def test_late_arrivals_within_the_window_change_nothing(delays, other):
    streams = {name: [(7 * n + i * 33) * MS for i in range(40)] for n, name in enumerate("ab")}
    late = {"a": [d * MS for d in delays], "b": [d * MS for d in other]}
    plain, shuffled = align(streams), align(streams, delays=late)
    assert [t.stamp_ns for t in plain] == [t.stamp_ns for t in shuffled]
    for x, y in zip(plain, shuffled, strict=True):
        assert {n: s.stamp_ns for n, s in x.samples.items()} == {
            n: s.stamp_ns for n, s in y.samples.items()
        }


def test_gap_is_marked_and_never_filled():
    camera = [i * 33 * MS for i in range(100) if not 30 <= i < 60]
    ticks = align({"camera": camera, "pose": [i * 10 * MS for i in range(330)]})
    stale = [t.index for t in ticks if "camera" in t.stale]
    assert stale == list(range(12, 20))  # last image at 957 ms, tolerance 200 ms, next at 1980 ms
    assert all(t.payload("camera") == 957 * MS for t in ticks if t.stale)
    spans = complete_spans([t.complete for t in ticks])
    assert spans[0] == Span(0, 12)
    assert longest(spans) == Span(20, len(ticks))


def test_grid_does_not_drift_over_a_day():
    assert tick_time_ns(5, 24 * 3600 * 30, 30.0) == 5 + 24 * 3600 * SECOND
    assert tick_time_ns(0, 1, 3.0) == 333_333_333


def test_memory_is_bounded_by_the_window_not_the_length():
    rules = {name: StreamRule(SECOND) for name in ("camera", "pose")}
    rules["goal"] = StreamRule(None, required=False)
    aligner = CausalAligner(rules, 10.0)
    longest_buffer = 0
    for index in range(5000):
        aligner.push("camera", index * 33 * MS, 0, None)
        if index > 2000:  # a required stream that starts a minute late
            aligner.push("pose", index * 33 * MS, 0, None)
        list(aligner.ticks())
        longest_buffer = max(longest_buffer, *(len(b) for b in aligner._buffers.values()))
    assert longest_buffer < 40


def test_missing_stream_is_named_and_gives_no_tick():
    aligner = CausalAligner({"a": StreamRule(SECOND), "b": StreamRule(SECOND)}, 10.0)
    aligner.push("a", 0, 0, None)
    assert list(aligner.finish()) == []
    assert aligner.waiting_for == ("b",)


def test_clock_jumping_back_is_refused_with_the_fix():
    aligner = CausalAligner({"a": StreamRule(SECOND)}, 10.0)
    aligner.push("a", 10 * SECOND, 0, None)
    aligner.push("a", 10 * SECOND - 20 * MS, 0, None)
    with pytest.raises(AlignmentError, match=r"jumps back by 9.00 s.*receive"):
        aligner.push("a", SECOND, 0, None)


@given(order=st.permutations(list(range(12))), ask=st.integers(-1, 13))
@settings(max_examples=60, deadline=None)
def test_buffer_is_ordered_whatever_the_arrival(order, ask):
    buffer = StreamBuffer()
    for stamp in order:
        buffer.push(StampedSample(stamp, 0, stamp))
    buffer.forget_before(ask)
    found = buffer.at(ask)
    assert (None if found is None else found.stamp_ns) == (min(ask, 11) if ask >= 0 else None)
    assert buffer.newest.stamp_ns == 11
    np.testing.assert_array_equal(buffer._stamps, sorted(buffer._stamps))
