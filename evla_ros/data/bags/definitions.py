# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Message definitions and type hashes for bags we write: from the sourced ROS, else `rosbags`."""

from __future__ import annotations

import functools
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

from evla_ros.data.bags.types import BagError

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


class Definition(NamedTuple):
    """The concatenated .msg text of a type, and its RIHS01 hash (REP 2011) or an empty string."""

    text: str
    type_hash: str


def definition_of(message_type: str, folders: tuple[Path, ...] = ()) -> Definition:
    """Return the definition of a type such as `sensor_msgs/msg/Image`.

    Looks into `folders` (`share` folders), AMENT_PREFIX_PATH and this checkout, then asks rosbags.
    Raises BagError when nobody knows the type.
    """
    text = _from_share(message_type, (*folders, *_share_folders()))
    try:
        return _from_rosbags(message_type, text)
    except Exception as error:
        if text is not None:
            return Definition(text, "")
        raise BagError(
            f"no definition of message type {message_type!r}: source the workspace that has it"
        ) from error


def _share_folders() -> tuple[Path, ...]:
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    return tuple(prefix / "share" for prefix in prefixes)


def _read(message_type: str, shares: tuple[Path, ...]) -> str | None:
    package, _, name = message_type.partition("/msg/")
    for share in shares:
        file = share / package / "msg" / f"{name}.msg"
        if file.is_file():
            return file.read_text(encoding="utf-8")
    checkout = Path(__file__).resolve().parents[3] / "msg" / f"{name}.msg"
    if package == "evla_ros" and checkout.is_file():
        return checkout.read_text(encoding="utf-8")
    return None


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
    for file in sorted((Path(__file__).resolve().parents[3] / "msg").glob("*.msg")):
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
