# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What /diagnostics shows: each input stream, the model, the goal loop, safety."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from evla_ros.msg import PolicyStatus
from evla_ros.ros.policy.goal_loop import GoalLoop

_OK, _WARN = DiagnosticStatus.OK, DiagnosticStatus.WARN
_ERROR, _STALE = DiagnosticStatus.ERROR, DiagnosticStatus.STALE


def diagnostics(
    node: str,
    status: PolicyStatus,
    loop: GoalLoop,
    topics: Mapping[str, str],
    lost: Mapping[str, int],
    network_ms: Sequence[float] = (),
) -> DiagnosticArray:
    """Return the array; statuses are named `<node>: <part>`, as diagnostic_aggregator expects.

    Args:
        node: Full name of the node.
        status: Its newest status.
        loop: Its goal loop, for the punctuality of goals.
        topics: Resolved topic of each camera.
        lost: How many images of each camera never arrived, where the middleware tells.
        network_ms: Of a policy server's last answers, the time that the network took.
    """
    array = DiagnosticArray()
    array.header.stamp = status.header.stamp
    for index, name in enumerate(status.stream_names):
        age_s, max_s = status.stream_age_s[index], status.stream_max_age_s[index]
        silent = age_s < 0 or age_s > max_s
        values = {
            "age [s]": f"{age_s:.3f}",
            "allowed age [s]": f"{max_s:g}",
            "rate [Hz]": f"{status.stream_rate_hz[index]:.1f}",
            "lost": str(lost.get(name.removeprefix("camera "), 0)),
        }
        if name.removeprefix("camera ") in topics:
            values["topic"] = topics[name.removeprefix("camera ")]
        level, text = (_STALE, "silent") if silent else (_OK, "fresh")
        array.status.append(_entry(node, name, level, text, values))
    array.status.append(_model(node, status, network_ms))
    array.status.append(_goals(node, status, loop))
    array.status.append(_safety(node, status))
    return array


def _model(node: str, status: PolicyStatus, network_ms: Sequence[float]) -> DiagnosticStatus:
    answered = status.inference_p50_ms >= 0
    values = {
        "policy": status.policy,
        "p50 [ms]": f"{status.inference_p50_ms:.1f}",
        "p95 [ms]": f"{status.inference_p95_ms:.1f}",
        "chunks": str(status.chunks),
    }
    if network_ms:  # of a policy server, beside the time it took itself
        values["network p50 [ms]"] = f"{np.percentile(network_ms, 50):.1f}"
        values["network p95 [ms]"] = f"{np.percentile(network_ms, 95):.1f}"
    failed = 30 < status.reason < 40
    level = _ERROR if failed else _OK
    text = status.reason_text if failed else ("answers" if answered else "not asked yet")
    return _entry(node, "model", level, text, values)


def _goals(node: str, status: PolicyStatus, loop: GoalLoop) -> DiagnosticStatus:
    late = np.array(list(loop.lateness_ms)[-1000:] or [0.0])
    p99 = float(np.percentile(late, 99))
    values = {
        "rate [Hz]": f"{status.goal_rate_hz:.1f}",
        "late p99 [ms]": f"{p99:.2f}",
        "late max [ms]": f"{late.max():.2f}",
        "missed": str(loop.missed),
    }
    level = _WARN if p99 > 10.0 else _OK
    return _entry(node, "goals", level, "on time" if level == _OK else "late", values)


def _safety(node: str, status: PolicyStatus) -> DiagnosticStatus:
    values = dict(zip(status.limit_names, map(str, status.limit_counts), strict=True))
    values["last limit"] = status.last_limit or "none"
    values["last stop"] = status.last_stop_text or "none"
    level = _OK if status.moving else _WARN
    return _entry(node, "safety", level, status.reason_text, values)


def _entry(
    node: str, part: str, level: bytes, text: str, values: Mapping[str, str]
) -> DiagnosticStatus:
    pairs = [KeyValue(key=key, value=value) for key, value in values.items()]
    return DiagnosticStatus(
        level=level, name=f"{node}: {part}", message=text, hardware_id=node, values=pairs
    )
