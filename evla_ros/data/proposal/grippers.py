# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What measures a gripper, what commands it, and which numbers mean open and closed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from evla_ros.data.proposal.choice import Candidate, ranked
from evla_ros.data.proposal.words import GRIPPER, TARGET, has, side
from evla_ros.data.survey.contents import Joints, Numbers
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.data.survey.values import Span
from evla_ros.embodiment.schema import Gripper
from evla_ros.embodiment.streams import FLOAT64, FLOAT64_ARRAY, JOINT_STATE

_COMMAND_WORDS = {FLOAT64: "float64", FLOAT64_ARRAY: "float64_array"}
_ACTION_WORDS = {
    "control_msgs/action/GripperCommand": "gripper_action",
    "control_msgs/action/ParallelGripperCommand": "parallel_gripper_action",
}
_KNOWN_WORDS = get_args(Gripper.model_fields["command_type"].annotation)
# Fingers that turn close as their angle grows (Robotiq's knuckle: 0 open); those that slide open.
_TURNS = frozenset(["knuckle", "driver"])
_MOVED = 0.005


@dataclass(frozen=True)
class GripperState:
    """topic: of the measured opening. joint: in its JointState. span: what was seen."""

    topic: SeenTopic
    joint: str
    span: Span

    @property
    def moved(self) -> bool:
        """Whether it was seen to open or close."""
        return self.span.width > _MOVED

    def open_closed(self) -> tuple[float, float]:
        """Return the values for open and closed, as far as they were seen."""
        if not self.moved:
            return (
                (0.08, 0.0)
                if not self.span.count or self.span.high < 0.08
                else (self.span.high, 0.0)
            )
        low, high = round(self.span.low, 4), round(self.span.high, 4)
        return (low, high) if self.joint and has(self.joint, _TURNS) else (high, low)


@dataclass(frozen=True)
class GripperCommandProposal:
    """name: of the topic or action. word: the file's word for its kind."""

    name: str
    word: str
    heard: bool


def states(survey: Survey, arm: str) -> list[Candidate[GripperState]]:
    """Return what may measure an arm's gripper, the likeliest first."""
    found = []
    for topic in survey.of_type(JOINT_STATE):
        joints = topic.contents
        for name, span in joints.spans.items() if isinstance(joints, Joints) else ():
            if has(name, GRIPPER) and _on(arm, f"{topic.name}/{name}"):
                label = f"joint {name} of {topic.name}, {span}"
                score = 5.0 * (span.width > _MOVED) - has(name, ["passive", "follower", "mimic"])
                found.append(Candidate(GripperState(topic, name, span), label, score))
    for topic in survey.of_type(FLOAT64):
        if has(topic.name, GRIPPER) and not has(topic.name, TARGET) and _on(arm, topic.name):
            numbers = topic.contents
            if topic.count and isinstance(numbers, Numbers):
                state = GripperState(topic, "", numbers.span)
                found.append(Candidate(state, f"{topic.name}, {numbers.span}", 8.0))
    return ranked(found)


def commands(survey: Survey, arm: str) -> list[Candidate[GripperCommandProposal]]:
    """Return what may command an arm's gripper, the likeliest first."""
    found = []
    for topic in survey.of_type(FLOAT64, FLOAT64_ARRAY):
        if not has(topic.name, GRIPPER) or not _on(arm, topic.name):
            continue
        heard = [end.node for end in topic.subscribers]
        if has(topic.name, TARGET) or (heard and not topic.publishers):
            word = _COMMAND_WORDS[topic.type]
            label = f"{topic.name} ({word}, {', '.join(heard) or 'nobody'} subscribes)"
            proposal = GripperCommandProposal(topic.name, word, bool(heard))
            found.append(Candidate(proposal, label, 5.0 * bool(heard)))
    for name, kind in survey.actions.items():
        word = _ACTION_WORDS.get(kind, "")
        if word in _KNOWN_WORDS and _on(arm, name):
            proposal = GripperCommandProposal(name, word, True)
            found.append(Candidate(proposal, f"action {name} ({word})", 6.0))
    return ranked(found)


def unusable_actions(survey: Survey, arm: str) -> list[str]:
    """Return an arm's gripper actions that this version cannot send goals to."""
    words = {name: _ACTION_WORDS.get(kind, "") for name, kind in survey.actions.items()}
    return [
        name for name, word in words.items() if word and word not in _KNOWN_WORDS and _on(arm, name)
    ]


def _on(arm: str, name: str) -> bool:
    """Return whether a name is of this arm, or of no particular one."""
    return side(name) in ("", arm) or arm == "arm"
