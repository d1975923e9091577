# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where an arm's measured pose comes from, and where its goals go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evla_ros.data.proposal.choice import Candidate, ranked
from evla_ros.data.proposal.words import TARGET, has, side, words
from evla_ros.data.survey.contents import Poses
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.data.survey.values import PoseTrace
from evla_ros.embodiment.streams import POSE_STAMPED, POSE_TRAJECTORY

_MEASURED = frozenset(
    [
        "current",
        "measured",
        "actual",
        "state",
        "tcp",
        "ee",
        "eef",
        "effector",
        "tool",
        "flange",
        "hand",
        "arm",
    ]
)
_SOMETHING_ELSE = frozenset(
    [
        "object",
        "marker",
        "tag",
        "camera",
        "head",
        "odom",
        "map",
        "amcl",
        "initialpose",
        "base",
        "plan",
        "path",
        "block",
        "cube",
    ]
)
_TOOLS = {
    "tcp": 10, "ee": 9, "eef": 9, "tool0": 8, "tool": 8, "grasp": 8, "effector": 8, "gripper": 6,
    "hand": 5, "flange": 4, "wrist": 3, "palm": 5,
}  # fmt: skip
_NO_TOOL = frozenset(
    [
        "camera",
        "optical",
        "finger",
        "knuckle",
        "pad",
        "tip",
        "sensor",
        "mount",
        "screw",
        "thumb",
        "index",
    ]
)
_WORLDS = ("odom", "map", "world", "earth")
_BASES = ("base_link", "base", "base_footprint", "torso", "pelvis")


@dataclass(frozen=True)
class PoseProposal:
    """Where a measured pose comes from: a topic, or a base and a tool frame of TF."""

    base_frame: str
    trace: PoseTrace
    seen: SeenTopic | None = None
    tool_frame: str = ""

    def yaml(self, topic_name: str) -> str:
        """Return what `pose:` says, without the age."""
        if self.seen is not None:
            return f"topic: {topic_name}"
        return f"tf: [{self.base_frame}, {self.tool_frame}]"


def measured_poses(survey: Survey) -> list[Candidate[PoseProposal]]:
    """Return what may be the measured pose of an arm, the likeliest first."""
    return ranked([*_pose_topics(survey), *_tf_pairs(survey)])


def by_side(
    candidates: Sequence[Candidate[PoseProposal]],
) -> dict[str, list[Candidate[PoseProposal]]]:
    """Return the candidates per arm: `left` and `right` where both are there, else `arm`."""
    sides: dict[str, list[Candidate[PoseProposal]]] = {}
    for one in candidates:
        name = one.value.seen.name if one.value.seen is not None else one.value.tool_frame
        sides.setdefault(side(name), []).append(one)
    if sides.get("left") and sides.get("right"):
        return {"left": sides["left"], "right": sides["right"]}
    return {"arm": list(candidates)} if candidates else {}


def goal_topics(survey: Survey, arm: str) -> list[Candidate[SeenTopic]]:
    """Return the topics that an arm's goals may go to, the likeliest first."""
    found = []
    for topic in (*survey.of_type(POSE_STAMPED), *survey.of_type(POSE_TRAJECTORY)):
        known = topic.type == POSE_TRAJECTORY or has(topic.name, TARGET)
        if not known or side(topic.name) not in ("", arm if arm != "arm" else ""):
            continue
        heard = [end.node for end in topic.subscribers]
        label = (
            f"{topic.name} ({', '.join(heard) or 'nobody'} subscribes)"
            if survey.live
            else topic.name
        )
        score = 10.0 * bool(heard) + 5.0 * (side(topic.name) == arm) + has(topic.name, ["pose"])
        found.append(Candidate(topic, label, score))
    return ranked(found)


def executor_of(topic: SeenTopic) -> str:
    """Return the profile of who takes the goals, by the name of the topic and its nodes."""
    nodes = " ".join(end.node for end in topic.subscribers)
    if topic.type == POSE_TRAJECTORY:
        return "cartesian_trajectory"
    if topic.name.endswith("pose_target_cmds"):
        return "servo"
    if topic.name.endswith("target_frame"):
        return "cartesian_controllers"
    return "crisp" if "crisp" in nodes + topic.name else "plain"


def _pose_topics(survey: Survey) -> list[Candidate[PoseProposal]]:
    found = []
    for topic in survey.of_type(POSE_STAMPED):
        poses = topic.contents
        if has(topic.name, TARGET) or not isinstance(poses, Poses) or topic.count < 2:
            continue
        frame = next((name.lstrip("/") for name, _ in topic.frames.most_common(1)), "")
        proposal = PoseProposal(frame, poses.trace, topic)
        score = 20.0 + 5.0 * has(topic.name, _MEASURED) - 30.0 * has(topic.name, _SOMETHING_ELSE)
        score += 3.0 * poses.trace.moved - 10.0 * (topic.rate_hz < 5.0)
        label = f"topic {topic.name}, in {frame or 'no frame'}, {topic.rate_hz:.0f} Hz"
        found.append(Candidate(proposal, label, score))
    return found


def _tf_pairs(survey: Survey) -> list[Candidate[PoseProposal]]:
    tree, found = survey.tf, []
    for tool in tree.frames:
        rank = max((_TOOLS.get(word, 0) for word in words(tool)), default=0)
        above = tree.ancestors(tool)
        moving = any(tree.is_published_as_moving(frame) for frame in (tool, *above))
        if rank == 0 or has(tool, _NO_TOOL) or not above or not moving:
            continue
        base = _base_of(above, tree.beside(tool))
        trace, _ = tree.trace(base, tool)
        if trace.count < 2:
            continue
        score = rank + 3.0 * trace.moved
        label = f"TF {base} -> {tool}, {trace.count} poses"
        found.append(Candidate(PoseProposal(base, trace, tool_frame=tool), label, score))
    return found


def _base_of(above: Sequence[str], beside: Sequence[str]) -> str:
    """Return the frame that poses are best told in: the robot's base, not the room.

    Args:
        above: The ancestors of the tool, the nearest first.
        beside: Other frames of its tree: a base may hang on the same frame as the arm.
    """
    for wanted in _BASES:
        if wanted in above or wanted in beside:
            return wanted
    for frame in above:
        if frame.endswith(("base_link", "link0", "_base")) or frame.startswith("base"):
            return frame
    own = [frame for frame in above if frame not in _WORLDS]
    return (own or list(above))[-1]
