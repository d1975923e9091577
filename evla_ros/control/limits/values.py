# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers of an arm's limits: from the embodiment file, perhaps tightened, never loosened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from evla_ros.embodiment import Limits
from evla_ros.errors import EvlaError, nearest

Corner = tuple[float, float, float]


@dataclass(frozen=True)
class LimitValues:
    """Metres, radians and seconds, in the base frame."""

    workspace_min_m: Corner
    workspace_max_m: Corner
    max_speed_m_s: float
    max_rotation_rad_s: float
    max_acceleration_m_s2: float
    max_angular_acceleration_rad_s2: float
    max_step_m: float
    max_step_rad: float

    @staticmethod
    def of(limits: Limits) -> LimitValues:
        """Return the values of an embodiment's arm."""
        x, y, z = limits.workspace_min_m
        u, v, w = limits.workspace_max_m
        scalars = {name: float(getattr(limits, name)) for name in SCALARS}
        return LimitValues((x, y, z), (u, v, w), **scalars)

    def tightened(self, changes: Mapping[str, float | Corner]) -> LimitValues:
        """Return these values with some replaced.

        Args:
            changes: Limit name to number, or to (x, y, z) for a corner of the box.

        Raises:
            EvlaError: For an unknown name, a number that is not positive, a box without inside, and
                a value looser than this one: limits may only be tightened.
        """
        for name, value in changes.items():
            if name not in SCALARS and name not in CORNERS:
                raise EvlaError(f"no limit {name!r}; {nearest(name, [*SCALARS, *CORNERS])}")
            self._refuse_looser(name, value)
        result = replace(self, **changes)  # type: ignore[arg-type]
        if not all(
            a < b for a, b in zip(result.workspace_min_m, result.workspace_max_m, strict=True)
        ):
            raise EvlaError(
                f"workspace_min_m {list(result.workspace_min_m)} is not below "
                f"workspace_max_m {list(result.workspace_max_m)} on every axis"
            )
        return result

    def _refuse_looser(self, name: str, value: float | Corner) -> None:
        allowed = getattr(self, name)
        if isinstance(value, tuple) != isinstance(allowed, tuple):
            raise EvlaError(f"{name} takes {'3 numbers' if name in CORNERS else 'one number'}")
        if isinstance(value, tuple):
            if len(value) != 3:
                raise EvlaError(f"{name} takes 3 numbers, got {len(value)}")
            sign = 1.0 if name == "workspace_min_m" else -1.0
            fits = all(sign * a >= sign * b for a, b in zip(value, allowed, strict=True))
        else:
            fits = 0.0 < value <= allowed
        if not fits:
            shown = list(value) if isinstance(value, tuple) else value
            limit = list(allowed) if isinstance(allowed, tuple) else allowed
            raise EvlaError(
                f"{name} {shown} is outside what the embodiment file allows ({limit}); "
                "limits may only be tightened at run time"
            )


SCALARS = (
    "max_speed_m_s",
    "max_rotation_rad_s",
    "max_acceleration_m_s2",
    "max_angular_acceleration_rad_s2",
    "max_step_m",
    "max_step_rad",
)
CORNERS = ("workspace_min_m", "workspace_max_m")
