# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers whose span says nothing: noise of a number that stands still, and rare motions.

Normalising divides by the span from q01 to q99. Of a number that stands still that span is
measurement noise, which would be taught at full weight; of one that moves in fewer than one step in
a hundred it is nothing at all. Writer, doctor and trainer decide here, so that they agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

SPAN_FLOOR = 1e-4  # 0.1 mm or 0.1 mrad (or 1e-4 of another unit) from the least to the most
Span = Literal["fine", "constant", "noise", "rare"]


class NarrowNumber(NamedTuple):
    """A number with a span that says nothing, and a sentence on what becomes of it."""

    column: int
    span: Span
    text: str


def span_of(low: float, high: float, q01: float, q99: float) -> Span:
    """Return what the span of a number is worth, from its extremes and quantiles."""
    if low == high:
        return "constant"
    if high - low < SPAN_FLOOR:
        return "noise"
    return "rare" if q99 - q01 < SPAN_FLOOR else "fine"


def settle(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return statistics (OpenVLA's layout) that normalise every number by a span worth it.

    Noise counts as constant: its min, max, q01 and q99 are its mean then, and loaders map it to 0.
    A rare motion is normalised by its min and max. What the mask leaves as it is stays so.
    """
    result = {**entry, **{key: list(entry[key]) for key in ("min", "max", "q01", "q99")}}
    spans = zip(entry["min"], entry["max"], entry["q01"], entry["q99"], strict=True)
    mask = entry.get("mask", [True] * len(entry["min"]))
    for index, (numbers, scaled) in enumerate(zip(spans, mask, strict=True)):
        kind = span_of(*numbers)
        if scaled and kind == "noise":
            for key in ("min", "max", "q01", "q99"):
                result[key][index] = entry["mean"][index]
        elif scaled and kind == "rare":
            result["q01"][index], result["q99"][index] = numbers[0], numbers[1]
    return result


def treatment(entry: Mapping[str, Any], index: int) -> str:
    """Return whether a number of settled statistics is normalised: `yes`, `no` or `constant: 0`."""
    if not entry["mask"][index]:
        return "no"
    return "constant: 0" if entry["min"][index] == entry["max"][index] else "yes"


def narrow_numbers(
    values: npt.NDArray[np.float32], mask: Sequence[bool] | None = None
) -> list[NarrowNumber]:
    """Return the numbers of [N, D] that `settle` changes, or that never change at all."""
    low, high = values.min(axis=0), values.max(axis=0)
    q01, q99 = np.quantile(values, [0.01, 0.99], axis=0)
    found = []
    for index in range(values.shape[1]):
        numbers = [float(column[index]) for column in (low, high, q01, q99)]
        kind = span_of(*numbers)
        if kind != "fine" and (mask is None or mask[index]):
            found.append(NarrowNumber(index, kind, _sentence(kind, numbers, values[:, index])))
    return found


def _sentence(kind: Span, numbers: Sequence[float], values: npt.NDArray[np.float32]) -> str:
    low, high, q01, q99 = numbers
    if kind == "constant":
        return f"is always {low:g}; loaders map it to 0"
    if kind == "noise":
        return (
            f"changes by {high - low:.2g} over all steps, less than {SPAN_FLOOR:g} (0.1 mm, "
            "0.1 mrad): noise; it counts as constant, and loaders map it to 0"
        )
    middle = 0.5 * (q01 + q99)
    moving = int((np.abs(values - middle) >= SPAN_FLOOR).sum())
    return (
        f"is {middle:.3g} but in {moving} of {len(values)} steps, so that q01 and q99 are one; it "
        f"is normalised by its extremes {low:.3g} and {high:.3g}"
    )
