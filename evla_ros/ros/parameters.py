# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node as one table: declared, checked and documented from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy import parameter
from rclpy.exceptions import ParameterException
from rclpy.node import Node

from evla_ros.errors import EvlaError, nearest

Value = bool | int | float | str | list[float]
_TYPE = parameter.Parameter.Type
_ARTICLES = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text (a number as text: '\"7\"')",
}
_OF_ROS = ("use_sim_time", "qos_overrides.", "start_type_description_service")


@dataclass(frozen=True)
class Parameter:
    """One row of a node's table.

    Attributes:
        name: as in `ros2 param set`.
        default: its value when nothing sets it; it also gives the type.
        description: one line for `ros2 param describe` and the reference page.
        unit: unit of the number; empty: none.
        low: smallest number that is allowed.
        high: largest number that is allowed.
        choices: the texts that are allowed; empty: any.
        dynamic: whether it may be set at run time; otherwise it is read on configure.
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
        if type(self.default) in _ARTICLES and type(value) is not type(self.default):
            article = _ARTICLES[type(self.default)]
            return (
                f"{self.name}: {value!r} is not accepted; it takes {article} {self.unit}".rstrip()
            )
        if self.choices and value not in self.choices:
            hint = nearest(str(value), self.choices)
            return f"{self.name}: {value!r} is not accepted; {hint}"
        if isinstance(value, bool) or not isinstance(value, int | float):
            return ""
        low = float("-inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        if not low <= value <= high:
            bounds = f"{low:g} to {high:g} {self.unit}".rstrip()
            return f"{self.name}: {value} is not accepted; it takes {bounds}"
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
    """Declare every parameter of a node's table.

    A parameter that takes a number takes a whole number too, at start and at run time.

    Raises:
        EvlaError: a start value is of another type, or out of bounds.
    """
    if hasattr(node, "add_pre_set_parameters_callback"):  # Humble has none, and says what it wants
        node.add_pre_set_parameters_callback(
            lambda changes: [_as_declared(node, change) for change in changes]
        )
    declare_more(node, table)


def declare_more(node: Node, table: Sequence[Parameter]) -> None:
    """Declare further parameters of a node that has declared a table already."""
    overrides = getattr(node, "_parameter_overrides", {})
    for row in table:
        given = overrides.get(row.name)
        if given is not None and isinstance(row.default, float | list) and _is_whole(given):
            given = overrides[row.name] = _as_float(given)
        try:
            node.declare_parameter(row.name, row.default, row.descriptor())
        except ParameterException as error:
            problem = "" if given is None else row.problem(given.value)
            raise EvlaError(f"parameter {problem or error}") from error


def _as_declared(node: Node, change: parameter.Parameter) -> parameter.Parameter:
    """Return the change, as a float where the node has one of that name."""
    if not _is_whole(change) or not node.has_parameter(change.name):
        return change
    known = node.get_parameter(change.name).type_
    return _as_float(change) if known in (_TYPE.DOUBLE, _TYPE.DOUBLE_ARRAY) else change


def _is_whole(value: parameter.Parameter) -> bool:
    return value.type_ in (_TYPE.INTEGER, _TYPE.INTEGER_ARRAY)


def _as_float(value: parameter.Parameter) -> parameter.Parameter:
    whole = value.value
    number = float(whole) if isinstance(whole, int) else [float(one) for one in whole]
    return parameter.Parameter(value.name, value=number)


def read(node: Node, table: Sequence[Parameter], later: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the values of a table by name.

    Args:
        node: the node that declared the table.
        table: its rows.
        later: how the names begin of parameters that are declared later.

    Raises:
        EvlaError: a value is not allowed, or a parameter was set that does not exist, which ROS 2
            ignores.
    """
    _refuse_unknown(node, later)
    values: dict[str, Any] = {}
    for row in table:
        value = node.get_parameter(row.name).value
        problem = row.problem(value)
        if problem:
            raise EvlaError(f"parameter {problem}")
        values[row.name] = value
    return values


def _refuse_unknown(node: Node, later: tuple[str, ...]) -> None:
    known = node.get_parameters_by_prefix("")
    for name in getattr(node, "_parameter_overrides", {}):
        if name not in known and not name.startswith((*later, *_OF_ROS)):
            raise EvlaError(f"parameter {name}: unknown; {nearest(name, known)}")


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
