# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One finding of a check: how bad it is, where it is, what is wrong, and how to fix it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Severity = Literal["error", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")


@dataclass(frozen=True)
class DatasetFinding:
    """One finding; `where` is the feature with its topic, `episodes` are those it is about."""

    check: str
    severity: Severity
    where: str
    message: str
    fix: str
    episodes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON object."""
        return asdict(self)

    def line(self) -> str:
        """Return the finding as two lines for a terminal."""
        some = ", ".join(self.episodes[:3])
        more = f" and {len(self.episodes) - 3} more" if len(self.episodes) > 3 else ""
        episodes = f" [{some}{more}]" if self.episodes else ""
        head = f"{self.severity:7} {self.check}: {self.where}: {self.message}{episodes}"
        return f"{head}\n        fix: {self.fix}"


def share(part: int, whole: int) -> str:
    """Return `3 of 20 (15 %)`."""
    return f"{part} of {whole} ({100 * part / max(whole, 1):.0f} %)"
