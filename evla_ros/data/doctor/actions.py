# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the action numbers: constant, saturated, not finite, or with rare extreme values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding, share
from evla_ros.data.doctor.runs import FloatColumn
from evla_ros.data.doctor.summary import EpisodeSummary
from evla_ros.data.rlds.narrow_spans import narrow_numbers

DEAD = 1e-7
_STILL = "expected for a robot that cannot move this way; otherwise check the embodiment file"
_FIXES = {
    "constant": _STILL,
    "noise": _STILL,
    "rare": "expected for a motion that is rare; a jump of the pose or a lost tick looks alike",
}
SATURATED_SHARE = 0.05
EXTREME = 20.0  # multiples of the distance from the median to q01 or q99


def check_actions(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Check every action number over the whole dataset."""
    if not episodes or not context.action_names:
        return []
    findings = _not_finite(episodes)
    if findings:
        return findings
    actions = np.concatenate([episode.action for episode in episodes])
    grippers = {arm.action.stop - 1 for arm in context.arms}
    for index, name in enumerate(context.action_names):
        if index not in grippers and len(actions):
            findings += _column(name, actions[:, index], index, episodes)
    return findings


def _not_finite(episodes: Sequence[EpisodeSummary]) -> list[DatasetFinding]:
    bad = tuple(
        e.label
        for e in episodes
        if not (np.isfinite(e.action).all() and np.isfinite(e.state).all())
    )
    if not bad:
        return []
    message = "NaN or infinity: one such number makes every statistic NaN, without an error"
    fix = "leave these episodes out with `evla dataset edit --drop` or convert them again"
    return [DatasetFinding("action", "error", "action or state", message, fix, bad)]


def _column(
    name: str,
    values: FloatColumn,
    index: int,
    episodes: Sequence[EpisodeSummary],
) -> list[DatasetFinding]:
    narrow = narrow_numbers(values[:, None])
    if narrow:
        return [DatasetFinding("action", "warning", name, n.text, _FIXES[n.span]) for n in narrow]
    low, high = float(values.min()), float(values.max())
    findings = []
    at_limit = int(((values == low) | (values == high)).sum()) - 2
    if at_limit > SATURATED_SHARE * len(values):
        message = f"{share(at_limit, len(values))} steps sit exactly at {low:g} or {high:g}"
        fix = "commands were clipped: raise the step limits or slow the teleoperation down"
        findings.append(DatasetFinding("action", "warning", name, message, fix))
    q01, median, q99 = (float(q) for q in np.quantile(values, [0.01, 0.5, 0.99]))
    reach = max(q99 - median, median - q01, DEAD)
    if max(high - median, median - low) > EXTREME * reach:
        worst = tuple(
            e.label for e in episodes if np.abs(e.action[:, index] - median).max() > EXTREME * reach
        )
        message = f"reaches {low:.3g} .. {high:.3g} while q01 .. q99 is {q01:.3g} .. {q99:.3g}"
        fix = "a jump of the pose or a lost tick: look at these episodes before training on them"
        findings.append(DatasetFinding("action", "warning", name, message, fix, worst))
    return findings
