# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One line of the doctor's table, and the table itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Status = Literal["ok", "note", "red"]
COLOURS = {"ok": "\033[32m", "note": "\033[33m", "red": "\033[31m"}


@dataclass(frozen=True)
class MachineFinding:
    """One line of the table: what was looked at, what was seen, and what to do about it.

    Attributes:
        subject: the heading that it stands under, such as `ROS 2`.
        name: what was looked at.
        status: `ok`, `note` (only some verbs need it) or `red` (has to be mended).
        seen: what was found, with its value.
        fix: what mends a red line or improves a note; empty when there is nothing to do.
    """

    subject: str
    name: str
    status: Status
    seen: str
    fix: str = ""


def ok(subject: str, name: str, seen: str) -> MachineFinding:
    """Return a finding that needs nothing."""
    return MachineFinding(subject, name, "ok", seen)


def note(subject: str, name: str, seen: str, fix: str) -> MachineFinding:
    """Return a finding about something that only some verbs need."""
    return MachineFinding(subject, name, "note", seen, fix)


def red(subject: str, name: str, seen: str, fix: str) -> MachineFinding:
    """Return a finding about something that has to be mended."""
    return MachineFinding(subject, name, "red", seen, fix)


def to_json(findings: Sequence[MachineFinding]) -> str:
    """Return the findings as one JSON object in a text: `{"healthy": bool, "findings": [...]}`."""
    rows = [asdict(finding) for finding in findings]
    return json.dumps({"healthy": healthy(findings), "findings": rows}, indent=1)


def to_table(findings: Sequence[MachineFinding], *, colour: bool) -> str:
    """Return the findings as lines for a terminal, each with its fix underneath if it has one."""
    width = max((len(finding.name) for finding in findings), default=0)
    lines, subject = [], None
    for finding in findings:
        if finding.subject != subject:
            subject = finding.subject
            lines.append(subject)
        mark = f"{COLOURS[finding.status]}{finding.status:<4}\033[0m" if colour else ""
        lines.append(f"  {mark or f'{finding.status:<4}'}  {finding.name:<{width}}  {finding.seen}")
        if finding.fix:
            lines.append(f"  {'':<4}  {'':<{width}}  fix: {finding.fix}")
    return "\n".join(lines)


def healthy(findings: Sequence[MachineFinding]) -> bool:
    """Return whether no finding is red."""
    return all(finding.status != "red" for finding in findings)
