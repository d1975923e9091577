# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where two embodiments differ, to say why a bag, dataset or checkpoint does not fit a robot."""

from __future__ import annotations

from typing import Any

from evla_ros.embodiment.schema import NOT_IN_HASH, Embodiment


def differences(ours: Embodiment, theirs: Embodiment) -> list[str]:
    """Return one line per field in which two embodiments differ; empty when their hashes agree.

    Args:
        ours: the embodiment that is used here.
        theirs: the one of the bag, dataset or checkpoint.

    Returns:
        Lines such as `arms[0].limits.max_step_m: 0.03 here, 0.02 there`: the dotted path of the
        field, then both values. What enters no hash is not compared.
    """
    a = ours.model_dump(mode="json", exclude=set(NOT_IN_HASH))
    b = theirs.model_dump(mode="json", exclude=set(NOT_IN_HASH))
    return _compare("", a, b)


def _compare(path: str, a: Any, b: Any) -> list[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        keys = [*a, *(key for key in b if key not in a)]
        children = [(f"{path}.{key}".lstrip("."), a.get(key), b.get(key)) for key in keys]
        return [line for child in children for line in _compare(*child)]
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        items = [(f"{path}[{i}]", x, y) for i, (x, y) in enumerate(zip(a, b, strict=True))]
        return [line for item in items for line in _compare(*item)]
    return [] if a == b else [f"{path}: {a!r} here, {b!r} there"]
