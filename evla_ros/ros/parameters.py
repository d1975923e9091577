# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node as one table: declared, checked and documented from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from evla_ros.errors import EvlaError, nearest

Value = bool | int | float | str | list[float]


@dataclass(frozen=True)
class Parameter:
    """One row of the table.

    dynamic: may be set at run time; otherwise it is read when the node is configured.
    choices: the allowed texts; low, high: the allowed numbers.
    """

    name: str
    default: Value
    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    dynamic: bool = False

    def problem(self, value: Value) -> str:
        """Return why a value is refused, '' when it is fine."""
        if self.choices and value not in self.choices:
            return f"{self.name} {value!r}: {nearest(str(value), self.choices)}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return ""
        low = float("-inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        if not low <= value <= high:
            return f"{self.name} {value} is out of bounds; it takes {low:g} to {high:g} {self.unit}"
        return ""

    def descriptor(self) -> ParameterDescriptor:
        """Return what `ros2 param describe` shows."""
        unit = f" [{self.unit}]" if self.unit else ""
        choices = f" One of: {', '.join(self.choices)}." if self.choices else ""
        descriptor = ParameterDescriptor(description=f"{self.description}{unit}.{choices}")
        if self.low is not None and self.high is not None:
            if isinstance(self.default, float):
                bounds = FloatingPointRange(from_value=float(self.low), to_value=float(self.high))
                descriptor.floating_point_range = [bounds]
            elif isinstance(self.default, int):
                whole = IntegerRange(from_value=int(self.low), to_value=int(self.high), step=1)
                descriptor.integer_range = [whole]
        return descriptor


def declare(node: Node, table: Sequence[Parameter]) -> None:
    """Declare every parameter of the table."""
    for row in table:
        node.declare_parameter(row.name, row.default, row.descriptor())


def read(node: Node, table: Sequence[Parameter]) -> dict[str, Any]:
    """Return the values by name; raises EvlaError for the first one that is refused."""
    values: dict[str, Any] = {}
    for row in table:
        value = node.get_parameter(row.name).value
        problem = row.problem(value)
        if problem:
            raise EvlaError(f"parameter {problem}")
        values[row.name] = value
    return values


def markdown(table: Sequence[Parameter]) -> str:
    """Return the table as a page section: the reference is written by the code."""
    lines = ["| parameter | default | unit | bounds | meaning |", "|---|---|---|---|---|"]
    for row in table:
        bounds = ", ".join(row.choices)
        if row.low is not None and row.high is not None:
            bounds = f"{row.low:g} .. {row.high:g}"
        live = " *(live)*" if row.dynamic else ""
        default = f"`{row.default!r}`" if row.default != "" else "`''`"
        lines.append(
            f"| `{row.name}`{live} | {default} | {row.unit} | {bounds} | {row.description} |"
        )
    return "\n".join(lines)
