# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One measured value per row, the machine it was measured on, and both as a table or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from evla_ros.machine import machine
from evla_ros.options import Option

_OF = ("runtime", "dtype", "actions")  # what of a row's context tells it from the others


@dataclass(frozen=True, kw_only=True)
class Printed:
    """How the rows of a benchmark are shown; every benchmark has this option."""

    json: Annotated[bool, Option("print one JSON object")] = False


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


def told(row: Row) -> str:
    """Return a row as a short line, for somebody who waits."""
    of = " ".join(str(row.context[key]) for key in _OF if key in row.context)
    return f"{row.name} {_number(row.value)} {row.unit}{of and f' ({of})'}"


def steps_markdown(rows: Sequence[Row]) -> str:
    """Return the rows of whole steps as a table of a page: least, median and 90th percentile."""
    what = ("model", "actions", "decoding", "runtime", "format", "threads")
    titles = (*what, "min [ms]", "p50 [ms]", "p90 [ms]", "floor [ms]")
    lines = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
    for row in rows:
        if row.name.startswith("model.step."):
            said = row.context
            decoding = row.name.rpartition(".")[2]
            cells = [said["preset"], said["actions"], decoding, said["runtime"], said["dtype"]]
            cells += [said["threads"], said["best"], _number(row.value), said["p90"]]
            lines.append(f"| {' | '.join(map(str, [*cells, _number(row.floor)]))} |")
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, str, str, str, str, str]:
    context = " ".join(f"{key}={value}" for key, value in row.context.items())
    return (row.name, _number(row.value), row.unit, _number(row.floor), _number(row.goal), context)


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
