# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Orders that are computed: every number once, in no recognisable order, without gaps."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict

import numpy as np
import pytest

from evla_ros.data.interleave import Interleave
from evla_ros.data.rlds.bounded_rows import BoundedRows
from evla_ros.data.shuffle import Shuffled


@pytest.mark.parametrize("size", [1, 2, 3, 5, 17, 100, 1000, 9973])
def test_every_number_comes_once(size):
    order = Shuffled(size, [7, 1])
    assert sorted(order[i] for i in range(size)) == list(range(size))
    with pytest.raises(IndexError):
        order[size]


def test_orders_of_other_seeds_differ_and_neighbours_are_apart():
    size = 20_000
    one, two = (np.array([Shuffled(size, [s])[i] for i in range(2000)]) for s in (1, 2))
    assert (one == two).mean() < 0.01
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.1
    assert one.mean() == pytest.approx(size / 2, rel=0.05)


def test_draws_of_every_source_have_no_gap_and_its_share():
    shares = [5.0, 3.0, 1.0, 0.01]
    draws, seen = Interleave(shares, seed=3), defaultdict(list)
    count = 60_000
    for number in range(count):
        source, rank = draws[number]
        seen[source].append(rank)
    for source, ranks in seen.items():
        assert sorted(ranks) == list(range(len(ranks)))
        assert len(ranks) == pytest.approx(count * shares[source] / sum(shares), abs=1025)
    first = [draws[number][0] for number in range(50)]
    assert len(set(first)) > 1
    assert first != sorted(first)
    assert Interleave(shares, seed=3)[41_234] == draws[41_234]
    assert Interleave([2.0], seed=3)[10**12] == (0, 10**12)
    assert draws[10**9][1] < 10**9


def test_the_order_takes_no_memory_however_long_it_is():
    used = []
    for size in (1000, 10**9):
        tracemalloc.start()
        order, draws = Shuffled(size, [1, 2]), Interleave([size, 3 * size], 0)
        for number in range(0, size, size // 500):
            order[number]
            draws[number]
        used.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
    assert max(used) < 300_000


def test_rows_beyond_the_bound_keep_their_statistics():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(9000, 3)).astype(np.float32)
    exact, bounded = BoundedRows(), BoundedRows(most=1000)
    for part in np.split(values, [5, 700, 4000]):
        exact.add(part)
        bounded.add(part)
    assert exact.complete
    assert not bounded.complete
    assert bounded.count == 9000
    assert 500 <= len(bounded.rows()) <= 1000
    np.testing.assert_array_equal(exact.rows(), values)
    one, two = exact.statistics("action"), bounded.statistics("action")
    for key in ("mean", "std", "min", "max"):
        np.testing.assert_allclose(two[key], one[key], atol=1e-6)
    np.testing.assert_allclose(two["q99"], one["q99"], atol=0.5)
    assert set(map(tuple, bounded.rows())) <= set(map(tuple, values))
