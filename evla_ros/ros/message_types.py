# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the name of a message type to its class, and from plain fields to a message."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

from evla_ros.units import SECOND_NS

_PART = re.compile(r"(?:sequence<)?(\w+)/(\w+)")  # geometry_msgs/Vector3, also in a sequence


def message_class(message_type: str) -> Any:
    """Return the Python class of `sensor_msgs/msg/Image`.

    `control_msgs/action/GripperCommand_FeedbackMessage` is what an action's feedback topic carries.

    Raises ImportError (no such package) or AttributeError (no such message in it).
    """
    package, kind, name = message_type.split("/")
    module, feedback = importlib.import_module(f"{package}.{kind}"), "_FeedbackMessage"
    if kind == "action" and name.endswith(feedback):
        return getattr(module, name.removesuffix(feedback)).Impl.FeedbackMessage
    return getattr(module, name)


def new_message(message_type: str, fields: Mapping[str, Any], stamp_ns: int) -> Any:
    """Return a message with plain fields; the stamp goes into its header, where it has one.

    A part that is a message itself is a mapping of its own fields: `{"linear": {"x": 0.1}}`.
    """
    message = _filled(message_class(message_type), fields)
    if hasattr(message, "header"):
        stamp = message.header.stamp
        stamp.sec, stamp.nanosec = divmod(stamp_ns, SECOND_NS)
    return message


def _filled(kind: Any, fields: Mapping[str, Any]) -> Any:
    types = kind.get_fields_and_field_types()
    return kind(**{name: _part(types.get(name, ""), value) for name, value in fields.items()})


def _part(field_type: str, value: Any) -> Any:
    match = _PART.match(field_type)
    if match is None:
        return value
    kind = message_class(f"{match[1]}/msg/{match[2]}")
    if isinstance(value, Mapping):
        return _filled(kind, value)
    return [_filled(kind, item) for item in value]
