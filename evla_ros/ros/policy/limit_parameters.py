# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The limits of a robot as parameters of the policy node, which may only tighten them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from evla_ros.control.limits import LimitValues
from evla_ros.control.limits.moving_parts import AxisLimitValues, BaseLimitValues, RobotLimits
from evla_ros.control.limits.values import CORNERS, SCALARS
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.ros.parameters import Parameter

T = TypeVar("T", LimitValues, BaseLimitValues, AxisLimitValues)


def limit_table(embodiment: Embodiment) -> tuple[Parameter, ...]:
    """Return `limits.<part>.<limit>` for every arm, the base and every axis.

    Their defaults are the embodiment file's.
    """
    rows = []
    limits = RobotLimits.of(embodiment)
    for arm, values in zip(embodiment.arms, limits.arms, strict=True):
        rows += [_row(arm.name, name, getattr(values, name)) for name in SCALARS]
        for name in CORNERS:
            corner = list(getattr(values, name))
            text = f"{name} of {arm.name} [x y z]; may only be tightened"
            rows.append(Parameter(f"limits.{arm.name}.{name}", corner, text, "m", dynamic=True))
    if limits.base is not None:
        rows += [_row("base", name, value) for name, value in asdict(limits.base).items()]
    for axis, own in zip(embodiment.axes, limits.axes, strict=True):
        rows += [_row(axis.name, name, value) for name, value in asdict(own).items()]
    return tuple(rows)


def _row(part: str, name: str, value: float) -> Parameter:
    text = f"{name} of {part}; may only be tightened"
    return Parameter(f"limits.{part}.{name}", value, text, dynamic=True)


def tightened_limits(embodiment: Embodiment, values: Mapping[str, Any]) -> RobotLimits:
    """Return the limits, tightened by `limits.*`; EvlaError when one loosens."""
    own, base = RobotLimits.of(embodiment), embodiment.base
    arms = [arm.name for arm in embodiment.arms]
    axes = [axis.name for axis in embodiment.axes]
    return RobotLimits(
        tuple(_tightened(part, name, values) for name, part in zip(arms, own.arms, strict=True)),
        None if base is None or own.base is None else _tightened(own.base, "base", values),
        tuple(_tightened(part, name, values) for name, part in zip(axes, own.axes, strict=True)),
    )


def _tightened(own: T, part: str, values: Mapping[str, Any]) -> T:
    prefix = f"limits.{part}."
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name.startswith(prefix):
            many = not isinstance(value, int | float)
            changes[name[len(prefix) :]] = tuple(value) if many else float(value)
    try:
        return own.tightened(changes)
    except EvlaError as error:
        raise EvlaError(f"limits.{part}: {error}") from error
