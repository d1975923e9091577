# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The numbers of a message of whatever type, flattened in the order of its definition.

Left out are texts, stamps, headers and covariances. A joint's numbers are named by the joint.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags.definitions import definition_of, typestore
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.units import unit_of
from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, IMAGE, JOINT_STATE
from evla_ros.errors import EvlaError, shorten

MOST = 1024  # numbers of one message that still make a column
_HEADER = "std_msgs/msg/Header"
_LEFT_OUT = (_HEADER, "builtin_interfaces/msg/Time", "std_msgs/msg/MultiArrayLayout")
_TEXTS = ("string", "wstring")
_BASE, _NAME = 1, 2  # rosbags' kinds of field; above them arrays and sequences
_PICTURES = (IMAGE, COMPRESSED_IMAGE)


class NoNumbersError(EvlaError):
    """A message type that has no numbers of a fixed count; the sentence says why."""


class Numbers(NamedTuple):
    """The numbers of one message.

    Attributes:
        stamp_ns: Its header stamp [ns]; 0 where it has none.
        names: Where each stands, such as `wrench.force.x`.
        units: Of each; empty where the definition does not say.
        values: float32 [N].
    """

    stamp_ns: int
    names: tuple[str, ...]
    units: tuple[str, ...]
    values: npt.NDArray[np.float32]


class NumbersReader:
    """Reads the messages of one type."""

    def __init__(self, message_type: str, definition: str = "") -> None:
        """Learn a type by the definition in the bag, else by the one that is installed.

        Raises:
            NoNumbersError: It is a picture, or its definition is nowhere.
        """
        if message_type in _PICTURES:
            raise NoNumbersError("it is a picture; `column: depth` makes a 16-bit PNG of depth")
        self.type = message_type
        self._store = _store_of(message_type, definition)
        self._fields = {name: fields for name, (_, fields) in self._store.fielddefs.items()}
        first = self._fields[message_type][:1]
        self.stamped = bool(first) and _named(first[0][1]) == _HEADER

    def __call__(self, data: bytes) -> Numbers:
        """Return the numbers of a raw message.

        Raises:
            BadSampleError: It is cut off, or holds a number that is not finite.
        """
        try:
            stamp_ns = header_stamp_ns(data) if self.stamped else 0
            message = self._store.deserialize_cdr(data, self.type)
            found = list(self._walk(message, self.type))
        except BadSampleError:
            raise
        except Exception as error:  # rosbags' own, struct's, and those of generated code
            raise BadSampleError("message", f"cannot be read: {shorten(str(error))}") from error
        with np.errstate(over="ignore"):
            values = np.array([value for _, _, value in found], dtype=np.float32)
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            name, _, value = found[int(bad[0])]
            raise BadSampleError("finite", f"{name} is {value}, which is not finite")
        names = tuple(name for name, _, _ in found)
        return Numbers(stamp_ns, names, tuple(unit for _, unit, _ in found), values)

    def _walk(
        self, message: Any, kind: str, at: str = "", around: str = ""
    ) -> Iterator[tuple[str, str, float]]:
        """Yield name, unit and value of each number; `around` is the unit of a vector's numbers."""
        joints = list(message.name) if kind == JOINT_STATE else None
        for name, field in self._fields[kind]:
            if "covariance" in name or _is_left_out(field):
                continue
            value, unit = getattr(message, name), unit_of(kind, name) or around
            place = f"{at}.{name}" if at else name
            if field[0] > _NAME:
                yield from self._items(value, field[1][0], place, unit, joints)
            elif field[0] == _NAME:
                yield from self._walk(value, field[1], place, unit)
            else:
                yield place, unit, float(value)

    def _items(
        self, values: Any, inner: Any, place: str, unit: str, joints: list[str] | None
    ) -> Iterator[tuple[str, str, float]]:
        if len(values) > MOST:
            raise BadSampleError("size", f"{place} has {len(values)} entries, at most {MOST}")
        named = joints if joints is not None and len(joints) == len(values) else None
        for index, value in enumerate(values):
            where = f"{place}.{index if named is None else named[index]}"
            if inner[0] == _NAME:
                yield from self._walk(value, inner[1], where, unit)
            else:
                yield where, unit, float(value)


def is_stamped(message_type: str, definition: str = "") -> bool:
    """Return whether messages of a type begin with a header; False where nobody knows it."""
    if message_type in HEADER_FIRST:
        return True
    try:
        return NumbersReader(message_type, definition).stamped
    except NoNumbersError:
        return False


def _named(field: Any) -> str:
    return str(field[1]) if field[0] == _NAME else ""


def _is_left_out(field: Any) -> bool:
    """Return whether a field holds no numbers of use."""
    inner = field[1][0] if field[0] > _NAME else field
    return (inner[0] == _BASE and inner[1][0] in _TEXTS) or _named(inner) in _LEFT_OUT


@functools.lru_cache(maxsize=64)
def _store_of(message_type: str, definition: str) -> Any:
    """Return a rosbags typestore that knows a type."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    for text in filter(None, (definition, _installed(message_type))):
        store = get_typestore(Stores.EMPTY)
        try:
            store.register(get_types_from_msg(text, message_type))
            _check_known(message_type, store)
        except Exception:  # noqa: BLE001, S112 - IDL, or damaged: the next one may do
            continue
        return store
    if message_type in typestore().fielddefs:
        return typestore()
    raise NoNumbersError("its definition is neither in the bag nor installed")


def _installed(message_type: str) -> str:
    try:
        return definition_of(message_type).text
    except EvlaError:
        return ""


def _check_known(message_type: str, store: Any) -> None:
    """Look whether all types within are described; KeyError where one is not."""
    queue, seen = [message_type], set[str]()
    while queue:
        kind = queue.pop()
        if kind in seen:
            continue
        seen.add(kind)
        for _, field in store.fielddefs[kind][1]:
            inner = field[1][0] if field[0] > _NAME else field
            queue += [_named(inner)] if _named(inner) else []
