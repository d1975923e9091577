# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Authority goes to the strongest fresh claim, and nobody takes the stick from a person."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from evla_ros.control.authority import Authority, Rank


def test_a_claim_holds_until_a_stronger_one_or_its_end():
    authority = Authority(100)
    assert authority.update(0).name == "idle"
    authority.claim("policy", Rank.POLICY, 10)
    assert authority.update(10).name == "policy"
    authority.claim("joy", Rank.TELEOP, 50)
    assert authority.update(50).name == "joy"
    assert authority.update(140).name == "joy"
    assert authority.update(151).name == "idle"  # both claims have run out


@given(
    claims=st.lists(
        st.tuples(
            st.sampled_from(["joy", "keyboard", "policy"]),
            st.booleans(),
            st.integers(1, 400),
        ),
        max_size=40,
    )
)
@settings(max_examples=100, deadline=None)
def test_authority_is_always_the_strongest_fresh_claim(claims):
    authority = Authority(300)
    now, last = 0, {}
    for name, held, wait in claims:
        now += wait
        rank = Rank.POLICY if name == "policy" else Rank.TELEOP
        lapsed = name in last and now - last[name] > 300
        if held:
            authority.claim(name, rank, now)
            last[name] = now
        else:
            authority.release(name)
            last.pop(name, None)
        before = authority.holder.name
        holder = authority.update(now)
        fresh = {n for n, t in last.items() if now - t <= 300}
        people = fresh - {"policy"}
        if people:
            assert holder.name in people
            if before in people and not (lapsed and name == before):
                assert holder.name == before  # nobody takes the stick from a person
        else:
            assert holder.name == ("policy" if fresh else "idle")
