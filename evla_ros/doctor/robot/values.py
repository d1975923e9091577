# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether what an input says can be meant as the file says: frames, joints, units, ranges."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from evla_ros.data.survey.contents import Joints, Numbers, Odometries, Poses
from evla_ros.data.survey.values import PoseTrace, Span
from evla_ros.doctor.robot.looked_at import LookedAt, Problem
from evla_ros.embodiment.streams import TF_MESSAGE, Kind
from evla_ros.errors import nearest

_FAR_M, _LOOSE_NORM = 8.0, 0.02
_FULL_TURN = 2 * math.pi + 0.3
_UNITS = {"millimetres": 1000.0, "per cent": 100.0, "degrees": 180 / math.pi}


def values(looked: LookedAt) -> Iterator[Problem]:
    """Yield what is wrong with the numbers of an input."""
    judge = _JUDGES.get(looked.stream.key.kind)
    if judge is not None and looked.seen is not None and looked.seen.count:
        yield from judge(looked)


def summary(looked: LookedAt) -> str:
    """Return in a few words what was seen of an input that is in order."""
    seen = looked.seen
    if seen is None:
        return looked.topic
    parts = [f"{seen.rate_hz:.1f} Hz"] if seen.rate_hz else [f"{seen.count} messages"]
    size = getattr(seen.contents, "size", None)
    parts += (
        [f"{size[0]}x{size[1]} {getattr(seen.contents, 'encoding', '')}".strip()] if size else []
    )
    if seen.delay_s is not None:
        parts.append(f"{seen.delay_s * 1e3:.0f} ms old on arrival")
    return f"{looked.topic}: {', '.join(parts)}"


def _pose(looked: LookedAt) -> Iterator[Problem]:
    seen = looked.seen
    if looked.stream.type == TF_MESSAGE:
        base, tool = looked.stream.selector
        trace, problem = looked.survey.tf.trace(base, tool)
        if problem:
            frames = ", ".join(looked.survey.tf.frames[:20]) or "none"
            yield Problem(problem, f"write frames that are there into pose.tf: {frames}")
            return
        if not trace.count:
            what = f"{base} -> {tool} comes on /tf_static alone: it never moves, and has no time"
            yield Problem(what, "name a tool frame that hangs on the moving joints")
            return
        yield from _numbers(looked, trace, f"TF {base} -> {tool}")
    elif seen is not None and isinstance(seen.contents, Poses):
        yield from _frames(looked)
        yield from _numbers(looked, seen.contents.trace, looked.topic)


def _frames(looked: LookedAt) -> Iterator[Problem]:
    own = looked.embodiment.base_frame
    frames = looked.seen.frames if looked.seen is not None else {}
    for frame in frames:
        plain = frame.lstrip("/")
        if plain not in ("", own):
            fix = f"write base_frame: {plain} if that is the frame you mean (goals are sent in it)"
            fix += ", or let the driver publish it in base_frame, or use pose: {tf: [...]}"
            yield Problem(f"{looked.topic}: in frame {plain!r}, the file says {own!r}", fix)


def _numbers(looked: LookedAt, trace: PoseTrace, what: str) -> Iterator[Problem]:
    if any(span.broken for span in trace.position_m) or trace.norm.broken:
        yield Problem(f"{what}: positions that are not finite", "correct the driver")
    if trace.farthest > _FAR_M:
        far = f"{what}: up to {trace.farthest:.4g} m from its base"
        yield Problem(far, "millimetres? ROS uses metres: let the driver divide by 1000")
        return
    norm = trace.norm
    if norm.count and not 1 - _LOOSE_NORM < norm.low <= norm.high < 1 + _LOOSE_NORM:
        fix = "send quaternions x y z w of length 1, not angles or zeros"
        yield Problem(f"{what}: quaternions of length {norm}", fix)
    limits = looked.embodiment.arm(looked.stream.key.name).limits
    corners = zip(
        "xyz", trace.position_m, limits.workspace_min_m, limits.workspace_max_m, strict=True
    )
    for axis, span, low, high in corners:
        if span.count and (span.low < low or span.high > high):
            seen = f"{what}: {axis} was {span} m, the workspace is {low:g} .. {high:g} m"
            fix = f"widen limits.workspace_min_m/max_m in {axis}, or move the arm inside"
            yield Problem(seen, fix)


def _gripper(looked: LookedAt) -> Iterator[Problem]:
    seen, gripper = looked.seen, looked.embodiment.arm(looked.stream.key.name).gripper
    if seen is None or gripper is None:
        return
    span = Span()
    if isinstance(seen.contents, Joints):
        joint = looked.stream.selector[0]
        yield from _missing_joints(looked, [joint], "state_joint")
        span = seen.contents.spans.get(joint, span)
    elif isinstance(seen.contents, Numbers):
        span = seen.contents.span
    if not span.count:
        return
    low, high = sorted((gripper.open, gripper.closed))
    margin = 0.1 * (high - low)
    if span.low < low - margin or span.high > high + margin:
        what = f"{looked.topic}: {span}, between open and closed it is {low:g} .. {high:g}"
        fix = "write what the device says when open and when closed into open and closed"
        yield Problem(what, f"{fix}{_scale(span, high)}")
    elif span.width < 0.05 * (high - low):
        what = f"{looked.topic}: stayed at {span.low:.4g}"
        yield Problem(what, "open and close it while this listens, to see its range", "note")


def _scale(span: Span, high: float) -> str:
    """Return the unit that would explain such numbers; empty for none."""
    ratio = max(abs(span.low), abs(span.high)) / max(abs(high), 1e-9)
    distance = {unit: abs(math.log(max(ratio, 1e-9) / factor)) for unit, factor in _UNITS.items()}
    unit = min(distance, key=lambda one: distance[one])
    return f" ({unit} here?)" if distance[unit] < math.log(1.6) else ""


def _odometry(looked: LookedAt) -> Iterator[Problem]:
    seen, base = looked.seen, looked.embodiment.base
    if seen is None or base is None or not isinstance(seen.contents, Odometries):
        return
    for frame in seen.frames:
        if frame not in ("", base.frame):
            fix = (
                f"write base.frame: {frame} if that is the base's own frame, or correct the driver"
            )
            yield Problem(f"{looked.topic}: its velocity is in {frame!r}, not {base.frame!r}", fix)
    speed = max(max(abs(s.low), abs(s.high)) for s in seen.contents.speeds[:2] if s.count)
    if speed > 20.0:
        what = f"{looked.topic}: {speed:.4g} m/s"
        yield Problem(what, "millimetres per second? ROS uses m/s: let the driver divide by 1000")


def _axis(looked: LookedAt) -> Iterator[Problem]:
    seen = looked.seen
    axis = next((a for a in looked.embodiment.axes if a.name == looked.stream.key.name), None)
    if seen is None or axis is None:
        return
    span = Span()
    if isinstance(seen.contents, Joints) and looked.stream.selector:
        joint = looked.stream.selector[0]
        yield from _missing_joints(looked, [joint], f"joint of axis {axis.name}")
        span = seen.contents.spans.get(joint, span)
    elif isinstance(seen.contents, Numbers):
        span = seen.contents.span
    low, high = axis.limits.min, axis.limits.max
    margin = 0.02 * (high - low)
    if span.count and (span.low < low - margin or span.high > high + margin):
        what = (
            f"{looked.topic}: {axis.name} was {span} {axis.unit}, its range is {low:g} .. {high:g}"
        )
        fix = f"widen limits of axis {axis.name}, or move it inside"
        yield Problem(what, f"{fix}{_scale(span, max(abs(low), abs(high)))}")


def _joints(looked: LookedAt) -> Iterator[Problem]:
    seen = looked.seen
    if seen is None or not isinstance(seen.contents, Joints):
        return
    wanted = [joint for arm in looked.embodiment.arms for joint in arm.joints]
    yield from _missing_joints(looked, wanted, "joints")
    spans = seen.contents.spans
    wide = [
        j for j in wanted if j in spans and max(abs(spans[j].low), abs(spans[j].high)) > _FULL_TURN
    ]
    if wide:
        what = f"{looked.topic}: {wide[0]} was {spans[wide[0]]}"
        yield Problem(what, "degrees? ROS uses radians: let the driver multiply by pi / 180")


def _missing_joints(looked: LookedAt, wanted: list[str], key: str) -> Iterator[Problem]:
    joints = looked.seen.contents if looked.seen is not None else None
    if not isinstance(joints, Joints):
        return
    for name in wanted:
        if name in joints.spans:
            continue
        if name in joints.without_position:
            yield Problem(
                f"{looked.topic}: joint {name!r} has no position", "let the driver send it"
            )
        else:
            near = nearest(name, sorted(joints.spans))
            yield Problem(
                f"{looked.topic}: no joint {name!r}", f"correct {key} in the file; {near}"
            )


_JUDGES: dict[Kind, Callable[[LookedAt], Iterator[Problem]]] = {
    Kind.POSE: _pose,
    Kind.GRIPPER: _gripper,
    Kind.JOINTS: _joints,
    Kind.ODOMETRY: _odometry,
    Kind.AXIS: _axis,
}
