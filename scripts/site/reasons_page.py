# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the reasons why the robot moves or does not."""

from __future__ import annotations

from evla_ros.control.reasons import PRECEDENCE, SENTENCES, Reason

HEAD = """# Reasons

Why the robot moves or does not is one reason with one sentence. `evla status`, the node's log, the
topic `policy/status` (`evla_ros/msg/PolicyStatus`, field `reason`) and the console show the same.
Where several hold at once, the one with the smallest rank is shown. What ends each of them:
[safety](../safety.md#what-happens-when); where to look first:
[troubleshooting](../help/troubleshooting.md).
"""


def page() -> str:
    """Return the page as Markdown."""
    rank = {reason: str(place) for place, reason in enumerate(PRECEDENCE, 1)}
    rows = [
        f"| {reason.value} | `{reason.name}` | {SENTENCES[reason]} | {rank.get(reason, '')} |"
        for reason in Reason
    ]
    table = ["| number | name | sentence | rank |", "|---|---|---|---|", *rows]
    return "\n".join([HEAD, *table]) + "\n"
