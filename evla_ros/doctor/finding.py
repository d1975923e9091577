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
class Finding:
    """What was looked at and seen; `fix` is what mends a red line, or improves a note."""

    subject: str
    name: str
    status: Status
    seen: str
    fix: str = ""


def ok(subject: str, name: str, seen: str) -> Finding:
    """Return a line that needs nothing."""
    return Finding(subject, name, "ok", seen)


def note(subject: str, name: str, seen: str, fix: str) -> Finding:
    """Return a line about something that only some verbs need."""
    return Finding(subject, name, "note", seen, fix)


def red(subject: str, name: str, seen: str, fix: str) -> Finding:
    """Return a line about something that has to be mended."""
    return Finding(subject, name, "red", seen, fix)


def to_json(findings: Sequence[Finding]) -> str:
    """Return `{"healthy": bool, "findings": [...]}` as text."""
    rows = [asdict(finding) for finding in findings]
    return json.dumps({"healthy": healthy(findings), "findings": rows}, indent=1)


def to_table(findings: Sequence[Finding], *, colour: bool) -> str:
    """Return one line per finding, and under it the fix where there is one."""
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


def healthy(findings: Sequence[Finding]) -> bool:
    """Return True when nothing is red."""
    return all(finding.status != "red" for finding in findings)
