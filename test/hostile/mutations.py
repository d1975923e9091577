# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ways to spoil a file: bytes of any format, and the values in a tree of YAML or JSON."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import yaml

Random = np.random.Generator
WORDS = (b"\x00", b"\xff", b"\x7f", b"\x80", b"\xff" * 8, b"\x00" * 8, b"\xff" * 7 + b"\x7f")
LONG_NUMBER = "9" * 5000
NASTY_TEXT = (
    b"\x00", b"\xff\xfe", b"\t", b"&a [*a]", b"*nobody", b"!!int abc", b"!!binary =", b"- ", b": ",
    b"{", b"]", b"\xef\xbb\xbf", b"? [1]\n: 2\n", b"!!timestamp 2020-99-99", b"'", b'"', b"---\n",
    b"%YAML 9\n", b"[" * 3000, b"<<: 3\n", LONG_NUMBER.encode(), b"1e999", b"NaN", b"-Infinity",
)  # fmt: skip


def _nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


NASTY_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**18, 10**250, 0.5, -0.5, 1e308,
    float("nan"), float("inf"), -float("inf"), 1e-308, "", " ", "a", "-1", "1e9", "nan", "../../x",
    "/proc/self/mem", "x\x00y", "\n", "\x1b[31m", "é" * 50, "x" * 100_000, [], {}, [[]], [None],
    {"": ""}, {"a": {"b": {}}}, [1, "a", None], [0] * 3000, _nested(40), _nested(200),
    "{instruction}", "float32", "\ud800",
)  # fmt: skip


def flip(data: bytes, random: Random) -> bytes:
    """Flip one bit."""
    changed = bytearray(data)
    if changed:
        changed[random.integers(len(data))] ^= 1 << random.integers(8)
    return bytes(changed)


def flip_many(data: bytes, random: Random) -> bytes:
    """Flip up to 30 bits."""
    for _ in range(random.integers(2, 30)):
        data = flip(data, random)
    return data


def cut(data: bytes, random: Random) -> bytes:
    """Keep the beginning."""
    return data[: random.integers(len(data) + 1)]


def remove(data: bytes, random: Random) -> bytes:
    """Leave out a piece."""
    start = int(random.integers(len(data) + 1))
    return data[:start] + data[start + int(random.integers(1, 200)) :]


def insert(data: bytes, random: Random) -> bytes:
    """Put noise in between."""
    start = int(random.integers(len(data) + 1))
    return data[:start] + random.bytes(int(random.integers(1, 50))) + data[start:]


def overwrite(data: bytes, random: Random) -> bytes:
    """Write an extreme number over some bytes: the lengths and counts of binary formats."""
    word = WORDS[random.integers(len(WORDS))]
    start = int(random.integers(len(data) + 1))
    return data[:start] + word + data[start + len(word) :]


def overwrite_head(data: bytes, random: Random) -> bytes:
    """Write an extreme number into the first 200 bytes, or the last."""
    head, tail = (data[:200], data[200:]) if random.random() < 0.6 else (data[-200:], b"")
    changed = overwrite(head, random)
    return changed + tail if tail or len(data) <= 200 else data[:-200] + changed


def zero(data: bytes, random: Random) -> bytes:
    """Write zeros over a piece."""
    start = int(random.integers(len(data) + 1))
    length = min(int(random.integers(1, 5000)), len(data) - start)
    return data[:start] + bytes(length) + data[start + length :]


def append(data: bytes, random: Random) -> bytes:
    """Add noise at the end."""
    return data + random.bytes(int(random.integers(1, 40)))


def repeat(data: bytes, random: Random) -> bytes:
    """Write a piece twice."""
    start = int(random.integers(len(data) + 1))
    stop = start + int(random.integers(1, 3000))
    return data[:stop] + data[start:stop] + data[stop:]


def empty(data: bytes, random: Random) -> bytes:
    """Leave nothing."""
    return b""


def nasty_text(data: bytes, random: Random) -> bytes:
    """Put something in between that text parsers choke on."""
    start = int(random.integers(len(data) + 1))
    return data[:start] + NASTY_TEXT[random.integers(len(NASTY_TEXT))] + data[start:]


Mutation = Callable[[bytes, Random], bytes]
BINARY: tuple[Mutation, ...] = (
    flip, flip_many, cut, remove, insert, overwrite, overwrite_head, zero, append, repeat,
)  # fmt: skip


def spoil_bytes(data: bytes, random: Random) -> bytes:
    """Apply one to three ways to spoil bytes of any format."""
    if random.random() < 0.01:
        return b""
    for _ in range(random.integers(1, 4)):
        data = BINARY[random.integers(len(BINARY))](data, random)
    return data


def spoil_yaml(data: bytes, random: Random) -> bytes:
    """Spoil a YAML text, or the tree in it."""
    return _spoil_text(data, random, yaml.safe_load, _dump_yaml)


def spoil_json(data: bytes, random: Random) -> bytes:
    """Spoil a JSON text, or the tree in it."""
    return _spoil_text(data, random, json.loads, lambda tree: json.dumps(tree).encode())


def _dump_yaml(tree: Any) -> bytes:
    return yaml.dump(tree, sort_keys=False, allow_unicode=False).encode("utf-8", "surrogatepass")


def _spoil_text(
    data: bytes, random: Random, load: Callable[[str], Any], dump: Callable[[Any], bytes]
) -> bytes:
    kind = random.random()
    if kind < 0.2:
        return nasty_text(data, random)
    if kind < 0.35:
        return spoil_bytes(data, random)
    tree = load(data.decode("utf-8"))
    for _ in range(random.integers(1, 4)):
        tree = spoil_tree(tree, random)
    return dump(tree)


def spoil_tree(tree: Any, random: Random) -> Any:
    """Replace, remove, rename, double or move one value of a tree."""
    tree = copy.deepcopy(tree)
    places = list(_places(tree))
    if not places or random.random() < 0.03:
        return NASTY_VALUES[random.integers(len(NASTY_VALUES))]
    owner, key = places[random.integers(len(places))]
    kind = random.random()
    if kind < 0.55:
        owner[key] = copy.deepcopy(NASTY_VALUES[random.integers(len(NASTY_VALUES))])
    elif kind < 0.7:
        del owner[key]
    elif kind < 0.8 and isinstance(owner, dict):
        names = ("x" * 2000, "", "nobody", str(key) + "s", str(key).upper())
        owner[names[random.integers(len(names))]] = owner.pop(key)
    elif kind < 0.9 and isinstance(owner[key], (int, float)) and not isinstance(owner[key], bool):
        factors = (-1, 0, 2, 1000, 1e9, 1e-9, 10**12)
        owner[key] *= factors[random.integers(len(factors))]
    else:
        other, place = places[random.integers(len(places))]
        owner[key] = copy.deepcopy(other[place] if _has(other, place) else None)
    return tree


def _has(owner: Any, key: Any) -> bool:
    return key in owner if isinstance(owner, dict) else key < len(owner)


def _places(tree: Any) -> Any:
    if not isinstance(tree, (dict, list)):
        return
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in list(items):
        yield tree, key
        yield from _places(value)
