# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where two embodiments differ, to say why a bag, dataset or checkpoint does not fit a robot."""

from __future__ import annotations

from typing import Any

from evla_ros.embodiment.schema import Embodiment


def differences(ours: Embodiment, theirs: Embodiment) -> list[str]:
    """Return one line per field that differs, dotted path first; empty when the hashes agree."""
    a = ours.model_dump(mode="json", exclude={"description"})
    b = theirs.model_dump(mode="json", exclude={"description"})
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
