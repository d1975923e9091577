# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One enum, one sentence each, the same numbers on the wire."""

from __future__ import annotations

import re
from pathlib import Path

from evla_ros.control.reasons import PRECEDENCE, SENTENCES, Finding, Reason, foremost


def test_every_reason_has_one_sentence() -> None:
    assert set(SENTENCES) == set(Reason)
    assert len(set(SENTENCES.values())) == len(SENTENCES)
    assert all(text.endswith(".") for text in SENTENCES.values())


def test_the_message_has_the_same_numbers(root: Path) -> None:
    text = (root / "msg" / "PolicyStatus.msg").read_text()
    on_the_wire = {name: int(n) for name, n in re.findall(r"uint8 REASON_(\w+) = (\d+)", text)}
    ours = {r.name: r.value for r in Reason if not r.name.startswith("LIMIT_")}
    assert on_the_wire == ours


def test_what_can_be_shown_has_a_rank() -> None:
    assert len(set(PRECEDENCE)) == len(PRECEDENCE)
    missing = set(Reason) - set(PRECEDENCE) - {Reason.UNKNOWN, Reason.EMBODIMENT_MISMATCH}
    assert all(reason.name.startswith("LIMIT_") for reason in missing)


def test_the_emergency_stop_is_shown_before_a_dead_camera() -> None:
    found = [Finding(Reason.CAMERA_STALE, "camera wrist"), Finding(Reason.ESTOP)]
    assert foremost(found) == Finding(Reason.ESTOP)
    assert foremost([]) is None
    assert found[0].text.endswith("(camera wrist)")
