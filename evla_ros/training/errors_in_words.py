# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mean errors of an action's numbers in a few words, with the units that a robot has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_SHOWN = {  # unit of an action's number -> factor and text of what is shown
    "m": (1e3, "{:.2f} mm"),
    "rad": (1e3, "{:.2f} mrad"),
    "m/s": (1e3, "{:.1f} mm/s"),
    "rad/s": (1e3, "{:.1f} mrad/s"),
    "1": (1.0, "gripper {:.3f}"),
}


def errors_in_words(errors: Mapping[str, float], units: Sequence[str]) -> str:
    """Return the mean absolute error of each unit, such as `3.12 mm, 14.20 mrad, gripper 0.080`.

    Args:
        errors: Name of a number of the action -> mean absolute error.
        units: The unit of each, in the same order; empty when the dataset does not say.
    """
    if not errors:
        return ""
    if not units:
        return f"L1 {sum(errors.values()) / len(errors):.4f} in the dataset's units"
    of_unit: dict[str, list[float]] = {}
    for unit, value in zip(units, errors.values(), strict=True):
        of_unit.setdefault(unit, []).append(value)
    found = []
    for unit, values in of_unit.items():
        factor, text = _SHOWN.get(unit, (1.0, "{:.4f} " + unit))
        found.append(text.format(factor * sum(values) / len(values)))
    return ", ".join(found)
