# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The section of one arm: pose, goal, gripper, joints and limits, with what to check beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evla_ros.data.proposal import grippers
from evla_ros.data.proposal.ages import motion_age_s
from evla_ros.data.proposal.choice import Candidate, Chooser, pick
from evla_ros.data.proposal.limits import limits_for
from evla_ros.data.proposal.poses import PoseProposal, executor_of, goal_topics
from evla_ros.data.proposal.words import GRIPPER, has, relative, side
from evla_ros.data.survey.contents import Joints, Poses
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.embodiment.streams import JOINT_STATE

_NOT_OF_AN_ARM = frozenset(
    ["wheel", "wheels", "caster", "lift", "torso", "head", "neck", "leg", "ankle", "knee", "hip"]
)
_MOST_JOINTS = 12


@dataclass(frozen=True)
class Setting:
    """What all sections need to know."""

    survey: Survey
    namespace: str
    rate_hz: float
    chooser: Chooser

    def topic(self, name: str) -> str:
        """Return a topic as the file has it."""
        return relative(name, self.namespace)


def arm_lines(
    setting: Setting, arm: str, pose: PoseProposal, others: Sequence[Candidate[PoseProposal]]
) -> list[str]:
    """Return the lines of an arm's section."""
    lines = [f"- name: {arm}"]
    source = pose.yaml(setting.topic(pose.seen.name) if pose.seen is not None else "")
    lines.append(f"  pose: {{{source}, max_age_s: {motion_age_s(pose.seen)}}}")
    lines += [f"  #     or {one.label}" for one in others[:4]]
    goal_lines, goal = _goal_lines(setting, arm)
    lines += [f"  {line}" for line in goal_lines]
    lines += [f"  {line}" for line in _gripper_lines(setting, arm)]
    joints = arm_joints(setting.survey, arm)
    if joints:
        lines.append(f"  joints: [{', '.join(joints)}]    # of joint_states, in this order")
    lines.append("  limits:    # slow on purpose: raise them here, before you record")
    told = goal.contents.trace if goal is not None and isinstance(goal.contents, Poses) else None
    lines += [f"    {line}" for line in limits_for(pose.trace, setting.rate_hz, told).lines()]
    return lines


def arm_joints(survey: Survey, arm: str) -> list[str]:
    """Return the joints of an arm, in the order of the messages."""
    for topic in joint_topics(survey):
        joints = topic.contents
        names = list(joints.spans) if isinstance(joints, Joints) else []
        found = [
            name
            for name in names
            if not has(name, GRIPPER)
            and not has(name, _NOT_OF_AN_ARM)
            and (arm == "arm" or side(name) == arm)
        ]
        if 0 < len(found) <= _MOST_JOINTS:
            return found
    return []


def joint_topics(survey: Survey) -> list[SeenTopic]:
    """Return the JointState topics, the one with the most joints first."""

    def joints(topic: SeenTopic) -> int:
        return len(topic.contents.spans) if isinstance(topic.contents, Joints) else 0

    return sorted((t for t in survey.of_type(JOINT_STATE) if t.count), key=joints, reverse=True)


def _goal_lines(setting: Setting, arm: str) -> tuple[list[str], SeenTopic | None]:
    """Return the lines, and the topic that was chosen."""
    candidates = goal_topics(setting.survey, arm)
    if not candidates:
        prefix = "" if arm == "arm" else f"{arm}_"
        check = "CHECK: none was seen; where your controller takes its PoseStamped"
        return [f"goal: {{topic: {prefix}arm/target_pose, executor: plain}}    # {check}"], None
    chosen, others = pick(setting.chooser, f"Where do the goals of {arm} go?", candidates)
    topic = chosen.value
    line = f"goal: {{topic: {setting.topic(topic.name)}, executor: {executor_of(topic)}}}"
    if setting.survey.live and not topic.subscribers:
        line += "    # CHECK: nobody subscribes to it now"
    return [line, *(f"#     or {one.label}" for one in others[:4])], topic


def _gripper_lines(setting: Setting, arm: str) -> list[str]:
    states = grippers.states(setting.survey, arm)
    orders = grippers.commands(setting.survey, arm)
    actions = [one for one in orders if one.value.word.endswith("_action")]
    if not states and actions:
        return [
            "gripper:    # no topic measures it: its state is what its action reports",
            *(f"  {line}" for line in _command_lines(setting, arm, actions, "")),
            "  open: 0.08    # CHECK: not seen; the action's position when open",
            "  closed: 0.0    # CHECK: and when closed",
        ]
    if not states:
        unknown = grippers.unusable_actions(setting.survey, arm)
        told = (
            f" ({', '.join(unknown)} is an action that cannot be commanded here)" if unknown else ""
        )
        return [f"# gripper: none whose opening is measured was seen{told}"]
    chosen, others = pick(setting.chooser, f"What measures the gripper of {arm}?", states)
    state = chosen.value
    lines = [
        "gripper:",
        *(f"  {line}" for line in _command_lines(setting, arm, orders, state.joint)),
    ]
    if state.joint:
        lines.append(f"  state: {setting.topic(state.topic.name)}")
        lines += ["  state_type: joint_state", f"  state_joint: {state.joint}"]
    else:
        lines.append(f"  state: {setting.topic(state.topic.name)}")
    lines += [f"  #     or {one.label}" for one in others[:4]]
    is_open, closed = state.open_closed()
    check = "CHECK: which of the two is open" if state.moved else "CHECK: it did not move; open it"
    lines.append(f"  open: {is_open}    # {check} (seen: {state.span})")
    lines.append(f"  closed: {closed}    # command and state use the same unit")
    return lines


def _command_lines(
    setting: Setting,
    arm: str,
    orders: Sequence[Candidate[grippers.GripperCommandProposal]],
    joint: str,
) -> list[str]:
    if not orders:
        prefix = "" if arm == "arm" else f"{arm}_"
        actions = grippers.unusable_actions(setting.survey, arm)
        seen = f"only the action {', '.join(actions)} (a relay: docs/robots)" if actions else "none"
        check = f"CHECK: {seen} was seen; a std_msgs/Float64"
        return [f"command: {prefix}gripper/command    # {check}"]
    chosen, others = pick(setting.chooser, f"What commands the gripper of {arm}?", orders)
    order = chosen.value
    note = (
        "" if order.heard or not setting.survey.live else "    # CHECK: nobody subscribes to it now"
    )
    lines = [f"command: {setting.topic(order.name)}{note}", f"command_type: {order.word}"]
    if order.word == "parallel_gripper_action":
        lines.append(f"command_joint: {joint or 'finger_joint'}    # CHECK: the joint it moves")
    return [*lines, *(f"#     or {one.label}" for one in others[:4])]
