# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the web server wants of a robot; the node is one, and a fake one in tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

Done = Callable[[bool, str], None]


class Picture(NamedTuple):
    """A camera's newest picture.

    number: counts pictures. jpeg: the file. age_s: from its stamp to its arrival here [s], -1 where
    the clocks do not fit. seen_s: when it arrived, on the clock of `time.monotonic`.
    """

    number: int
    jpeg: bytes
    age_s: float
    seen_s: float


@dataclass(frozen=True)
class Drive:
    """What a held dead-man asks for; deflections in -1 .. 1, gripper 1 open, 0 closed, None as is.

    linear, angular: [3] in base_frame; base: vx vy wz in the base's own frame.
    """

    arm: int = 0
    linear: tuple[float, float, float] = (0.0, 0.0, 0.0)
    angular: tuple[float, float, float] = (0.0, 0.0, 0.0)
    gripper: float | None = None
    base: tuple[float, float, float] = (0.0, 0.0, 0.0)
    axis: int = 0
    axis_rate: float = 0.0


class Robot(Protocol):
    """Everything here returns at once; it is called from the server's thread."""

    def description(self) -> dict[str, Any]:
        """Return what does not change: name, cameras, arms with their boxes, base, axes."""

    def state(self) -> dict[str, Any]:
        """Return what the page shows, in values that JSON has."""

    def ask(self, node: str, service: str, fields: Mapping[str, Any], done: Done) -> None:
        """Ask a service; `done` is called once, in any thread, with its answer or what failed."""

    def there(self, node: str, service: str) -> bool:
        """Return whether a service can be asked."""

    def drive(self, command: Drive | None) -> None:
        """Send what a held dead-man asks for; None lets go."""

    def note(self, sentence: str) -> None:
        """Write who asked for what into log and bag."""

    def watch(self, cameras: Sequence[str]) -> None:
        """Say which cameras are looked at now."""

    def picture(self, camera: str) -> Picture | None:
        """Return a camera's newest picture; None before the first."""
