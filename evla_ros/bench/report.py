# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One measured value per row, the machine it was measured on, and both as a table or as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Row:
    """One value.

    Attributes:
        name: stable and dotted, such as `model.step.joint`.
        value: the measurement, in `unit`.
        floor: what the hardware allows at best, in `unit`; None when unknown.
        goal: what this project wants, in `unit`; None when none is set.
        context: what varies: preset, actions `8x7`, dtype, threads, device, size.
    """

    name: str
    value: float
    unit: str
    floor: float | None = None
    goal: float | None = None
    context: Mapping[str, Any] = field(default_factory=dict)


def machine() -> dict[str, Any]:
    """Return what a reader needs to compare two runs: processor, cores, memory, system, Python."""
    return {
        "processor": _cpu_field("model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "amx": "amx_tile" in _cpu_field("flags").split(),
        "avx512": "avx512f" in _cpu_field("flags").split(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def to_json(rows: Iterable[Row]) -> str:
    """Return the object `{"machine": {...}, "rows": [...]}` as text."""
    return json.dumps({"machine": machine(), "rows": [asdict(row) for row in rows]}, indent=1)


def to_table(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned table, one line each."""
    header = ("name", "value", "unit", "floor", "goal", "context")
    lines = [header, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    texts = []
    for line in lines:
        cells = [
            cell.rjust(width) if column in (1, 3, 4) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        texts.append("  ".join(cells).rstrip())
    return "\n".join(texts)


def _cells(row: Row) -> tuple[str, str, str, str, str, str]:
    context = " ".join(f"{key}={value}" for key, value in row.context.items())
    return (
        row.name,
        _number(row.value),
        row.unit,
        _number(row.floor),
        _number(row.goal),
        context,
    )


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def _cpu_field(name: str) -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
