# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sections of what moves besides arms: a mobile base, and single joints such as a lift."""

from __future__ import annotations

from collections.abc import Sequence

from evla_ros.data.proposal.ages import motion_age_s
from evla_ros.data.proposal.arms import Setting, joint_topics
from evla_ros.data.proposal.choice import Candidate, pick, ranked
from evla_ros.data.proposal.words import has, identifier, words
from evla_ros.data.survey.contents import Joints, Odometries
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.data.survey.values import Span
from evla_ros.embodiment.streams import (
    FLOAT64,
    FLOAT64_ARRAY,
    JOINT_TRAJECTORY,
    ODOMETRY,
    TWIST,
    TWIST_STAMPED,
)

# Slow walking, and a turn in eight seconds.
SPEED_M_S, ROTATION_RAD_S = 0.3, 0.8
_TYPES = {TWIST: "twist", TWIST_STAMPED: "twist_stamped"}
_AXIS_TYPES = {
    JOINT_TRAJECTORY: "joint_trajectory",
    FLOAT64: "float64",
    FLOAT64_ARRAY: "float64_array",
}
_AXES = frozenset({"lift", "torso", "column", "head", "neck", "pan", "tilt", "waist"})
_SLIDE = frozenset({"lift", "column", "elevator", "prismatic"})
_SIDEWAYS_M_S = 0.02


def base_lines(setting: Setting) -> list[str]:
    """Return the section of a base, where odometry was seen; else nothing."""
    odometry = _odometry(setting)
    if not odometry:
        return []
    chosen, others = pick(setting.chooser, "Which odometry is the base's?", odometry)
    topic = chosen.value
    motion = topic.contents
    frame = next((name.lstrip("/") for name, _ in topic.frames.most_common(1)), "") or "base_link"
    sideways = isinstance(motion, Odometries) and motion.speeds[1].width > _SIDEWAYS_M_S
    told = "it went sideways" if sideways else "CHECK: above 0 if it can go sideways"
    lines = ["base:", *(f"  {line}" for line in _command_lines(setting))]
    lines.append(f"  odometry: {setting.topic(topic.name)}    # {topic.rate_hz:.0f} Hz")
    lines += [f"  #     or {one.label}" for one in others[:4]]
    lines.append(f"  frame: {frame}    # its child_frame_id")
    lines += [
        f"  max_age_s: {motion_age_s(topic)}    # without odometry for so long it stops",
        "  command_timeout_s: 0.5    # CHECK: the base must stop by itself after this silence",
        "  limits:    # slow on purpose",
        f"    max_speed_m_s: {SPEED_M_S}",
        f"    max_lateral_m_s: {SPEED_M_S if sideways else 0.0}    # {told}",
        f"    max_rotation_rad_s: {ROTATION_RAD_S}",
    ]
    return lines


def axes_lines(setting: Setting) -> list[str]:
    """Return the section of single joints that something commands; else nothing."""
    lines: list[str] = []
    for joint, state, span in _single_joints(setting):
        commands = _axis_commands(setting, joint)
        if not commands:
            continue
        chosen, others = pick(setting.chooser, f"What commands the joint {joint}?", commands)
        slides = has(joint, _SLIDE)
        pace = f"max_speed: {0.05 if slides else 0.3}, max_acceleration: {0.2 if slides else 1.0}"
        low, high = round(span.low - 0.01, 2), round(span.high + 0.01, 2)
        lines += [
            f"  - name: {identifier(joint, ['joint'])}",
            f"    unit: {'m' if slides else 'rad'}    # CHECK",
            f"    command: {setting.topic(chosen.value.name)}",
            f"    command_type: {_AXIS_TYPES[chosen.value.type]}",
            *(f"    #     or {one.label}" for one in others[:4]),
            f"    state: {setting.topic(state.name)}",
            f"    joint: {joint}",
            f"    max_age_s: {motion_age_s(state, 0.5)}",
            f"    limits: {{min: {low}, max: {high}, {pace}}}    # CHECK: seen {span}",
        ]
    return ["axes:", *lines] if lines else []


def _odometry(setting: Setting) -> list[Candidate[SeenTopic]]:
    found = []
    for topic in setting.survey.of_type(ODOMETRY):
        if topic.count > 1:
            score = 5.0 * (topic.name.rsplit("/", 1)[-1] == "odom") + topic.rate_hz / 100.0
            score -= 3.0 * has(topic.name, {"visual", "vio", "laser", "gps", "tracking"})
            found.append(Candidate(topic, f"{topic.name}, {topic.rate_hz:.0f} Hz", score))
    return ranked(found)


def _command_lines(setting: Setting) -> list[str]:
    found = []
    for topic in setting.survey.of_type(*_TYPES):
        heard = [end.node for end in topic.subscribers]
        rivals = [end.node for end in topic.publishers if end.node]
        if not has(topic.name, {"vel", "cmd", "twist"}) or has(topic.name, {"joy", "servo"}):
            continue
        score = (
            10.0 * bool(heard) - 4.0 * bool(rivals) + (topic.name.rsplit("/", 1)[-1] == "cmd_vel")
        )
        label = f"{topic.name} ({_TYPES[topic.type]}, {', '.join(heard) or 'nobody'} subscribes)"
        found.append(Candidate(topic, label, score))
    if not found:
        return ["command: cmd_vel    # CHECK: none was seen; a geometry_msgs/Twist"]
    chosen, others = pick(setting.chooser, "What commands the base?", ranked(found))
    topic = chosen.value
    lines = [f"command: {setting.topic(topic.name)}", f"command_type: {_TYPES[topic.type]}"]
    rivals = sorted({end.node for end in topic.publishers if end.node})
    if rivals and setting.survey.live:
        lines[0] += f"    # CHECK: {', '.join(rivals)} sends too; write an input of twist_mux here"
    return [*lines, *(f"#     or {one.label}" for one in others[:4])]


def _single_joints(setting: Setting) -> list[tuple[str, SeenTopic, Span]]:
    found = []
    for topic in joint_topics(setting.survey):
        joints = topic.contents
        for name, span in joints.spans.items() if isinstance(joints, Joints) else ():
            if has(name, _AXES) and not has(name, {"wheel"}):
                found.append((name, topic, span))
    return found


def _axis_commands(setting: Setting, joint: str) -> Sequence[Candidate[SeenTopic]]:
    mine = set(words(joint)) & _AXES
    found = []
    for topic in setting.survey.of_type(*_AXIS_TYPES):
        heard = [end.node for end in topic.subscribers]
        if mine & set(words(topic.name)) and (heard or not setting.survey.live):
            label = f"{topic.name} ({_AXIS_TYPES[topic.type]})"
            found.append(Candidate(topic, label, 5.0 * (topic.type == JOINT_TRAJECTORY)))
    return ranked(found)
