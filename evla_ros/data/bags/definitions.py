# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message definitions and type hashes for written bags: from a sourced ROS, else from `rosbags`."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any, NamedTuple

from evla_ros.data.bags.types import BagError
from evla_ros.shared_files import interface_files, message_shares, shared_file

_FIELD = re.compile(r"^\s*([A-Za-z][\w/]*)(?:<=\d+)?(?:\[[^\]]*\])?\s+\w+", re.MULTILINE)
_RULE = "=" * 80
_PRIMITIVES = frozenset(
    [
        "bool",
        "byte",
        "char",
        "float32",
        "float64",
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "string",
        "wstring",
    ]
)


_FOUND = "float64 position\nfloat64 effort\nbool stalled\nbool reached_goal\n"
_ID = "unique_identifier_msgs/UUID goal_id\n"
# What gripper actions report on a topic has no .msg file: the fields that control_msgs lists.
_FEEDBACK = {
    "control_msgs/action/GripperCommand_FeedbackMessage": (
        f"{_ID}control_msgs/GripperCommand_Feedback feedback\n"
    ),
    "control_msgs/msg/GripperCommand_Feedback": _FOUND,
    "control_msgs/action/ParallelGripperCommand_FeedbackMessage": (
        f"{_ID}control_msgs/ParallelGripperCommand_Feedback feedback\n"
    ),
    "control_msgs/msg/ParallelGripperCommand_Feedback": "sensor_msgs/JointState state\n",
}


class Definition(NamedTuple):
    """A message type's concatenated .msg text and RIHS01 hash (REP 2011; empty when unknown)."""

    text: str
    type_hash: str


def definition_of(message_type: str, folders: tuple[Path, ...] = ()) -> Definition:
    """Return the definition of a message type such as `sensor_msgs/msg/Image`.

    It is looked up in `folders`, in sourced workspaces and in this package, then in `rosbags`.

    Args:
        message_type: The type.
        folders: Further `share` folders to search first.

    Raises:
        BagError: The type is found nowhere.
    """
    text = _from_share(message_type, (*folders, *message_shares()))
    try:
        return _from_rosbags(message_type, text)
    except Exception as error:
        if text is not None:
            return Definition(text, "")
        raise BagError(
            f"no definition of message type {message_type!r}: source the workspace that has it"
        ) from error


def _read(message_type: str, shares: tuple[Path, ...]) -> str | None:
    if message_type in _FEEDBACK:
        return _FEEDBACK[message_type]
    package, _, name = message_type.partition("/msg/")
    for share in shares:
        file = share / package / "msg" / f"{name}.msg"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    if package != "evla_ros":
        return None
    own = shared_file("msg", f"{name}.msg")
    return own.read_text(encoding="utf-8") if own.is_file() else None


def _from_share(message_type: str, shares: tuple[Path, ...]) -> str | None:
    main = _read(message_type, shares)
    if main is None:
        return None
    parts, seen = [main], {message_type}
    queue = _dependencies(main, message_type)
    while queue:
        name = queue.pop(0)
        if name in seen:
            continue
        seen.add(name)
        text = _read(name, shares)
        if text is None:
            text = _single_from_rosbags(name)
        parts.append(f"{_RULE}\nMSG: {name.replace('/msg/', '/')}\n{text}")
        queue.extend(_dependencies(text, name))
    return "\n".join(parts)


def _dependencies(text: str, message_type: str) -> list[str]:
    package = message_type.split("/", maxsplit=1)[0]
    stripped = re.sub(r"#.*", "", text)
    found = []
    for kind in _FIELD.findall(stripped):
        if kind in _PRIMITIVES:
            continue
        parts = kind.split("/")
        home = parts[0] if len(parts) > 1 else package
        found.append(f"{home}/msg/{parts[-1]}")
    return found


@functools.lru_cache(maxsize=1)
def _typestore() -> Any:
    from rosbags.typesys import Stores, get_typestore

    return get_typestore(Stores.ROS2_JAZZY)


def typestore() -> Any:
    """Return the `rosbags` typestore with this package's own messages registered."""
    from rosbags.typesys import get_types_from_msg

    store = _typestore()
    for file in interface_files("msg"):
        name = f"evla_ros/msg/{file.stem}"
        if name not in store.fielddefs:
            store.register(get_types_from_msg(file.read_text(encoding="utf-8"), name))
    return store


def _single_from_rosbags(message_type: str) -> str:
    text, _ = _typestore().generate_msgdef(message_type, ros_version=2)
    return str(text).split(_RULE)[0]


def _from_rosbags(message_type: str, text: str | None) -> Definition:
    from rosbags.typesys import get_types_from_msg

    store = _typestore()
    if message_type not in store.fielddefs:
        if text is None:
            raise KeyError(message_type)
        known = get_types_from_msg(text, message_type)
        store.register({k: v for k, v in known.items() if k not in store.fielddefs})
    if text is None:
        text, _ = store.generate_msgdef(message_type, ros_version=2)
    return Definition(str(text), str(store.hash_rihs01(message_type)))
