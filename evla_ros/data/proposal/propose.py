# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole file: what was seen becomes YAML with comments, and is loaded strictly first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from evla_ros.data.proposal.arms import Setting, arm_lines, joint_topics
from evla_ros.data.proposal.base import axes_lines, base_lines
from evla_ros.data.proposal.cameras import CameraProposal, choose_primary, find_cameras
from evla_ros.data.proposal.choice import Candidate, Chooser, Likeliest, pick
from evla_ros.data.proposal.poses import PoseProposal, by_side, measured_poses
from evla_ros.data.proposal.recorded import record_lines
from evla_ros.data.proposal.words import has, identifier
from evla_ros.data.survey.survey import Survey
from evla_ros.embodiment import Embodiment, parse_embodiment
from evla_ros.embodiment.streams import BOOL, COMPRESSED_IMAGE, STRING, streams_of
from evla_ros.errors import EvlaError

_SHOWN = 12


class Proposal(NamedTuple):
    """text: the file. embodiment: what it loads as. checks: lines that a person has to judge."""

    text: str
    embodiment: Embodiment
    checks: list[str]


class ProposalError(EvlaError):
    """What was seen is not enough for a file; the sentence says what is missing."""


def propose(
    survey: Survey, name: str, namespace: str = "", chooser: Chooser | None = None
) -> Proposal:
    """Return an embodiment file for what was seen.

    Args:
        survey: What was seen.
        name: Of the robot.
        namespace: Topics below it are written relative to it.
        chooser: Who chooses between candidates; the likeliest are taken without one.

    Raises:
        ProposalError: No camera, or no measured pose of a tool, was seen.
    """
    taker = chooser or Likeliest()
    cameras, refused = find_cameras(survey)
    if not cameras:
        raise ProposalError(
            f"{survey.source} shows no camera that can be decoded{_told(survey, refused)}"
        )
    arms = by_side(measured_poses(survey))
    if not arms:
        raise ProposalError(
            f"{survey.source} shows no measured tool pose: neither a PoseStamped that is no goal "
            f"nor TF from a base to a tool frame{_told(survey, [])}"
        )
    cameras = choose_primary(cameras, taker)
    setting = Setting(survey, namespace, _rate_hz(cameras), taker)
    chosen = _choose_poses(arms, taker)
    lines = list(_lines(setting, identifier(name), cameras, refused, chosen))
    embodiment = parse_embodiment("\n".join(lines), source="the proposed file")
    used = {stream.topic.lstrip("/") for stream in streams_of(embodiment)}
    lines += record_lines(setting, used)
    text = "\n".join(lines) + "\n"
    embodiment = parse_embodiment(text, source="the proposed file")
    checks = [line.strip() for line in lines if "# CHECK" in line]
    return Proposal(text, embodiment, checks)


Chosen = dict[str, tuple[Candidate[PoseProposal], list[Candidate[PoseProposal]]]]


def _choose_poses(arms: dict[str, list[Candidate[PoseProposal]]], chooser: Chooser) -> Chosen:
    """Choose per arm; after the first one only what is told in the same base frame counts."""
    chosen: Chosen = {}
    base = ""
    for arm, candidates in arms.items():
        same = [one for one in candidates if one.value.base_frame == base] if base else candidates
        if not same:
            raise ProposalError(
                f"the poses of {' and '.join(arms)} are told in different frames; give both arms "
                "poses in one base frame (TF, or a relay that transforms one)"
            )
        chosen[arm] = pick(chooser, f"Where does the measured pose of {arm} come from?", same)
        base = base or chosen[arm][0].value.base_frame
    return chosen


def _lines(
    setting: Setting,
    name: str,
    cameras: Sequence[CameraProposal],
    refused: Sequence[str],
    chosen: Chosen,
) -> Iterator[str]:
    survey = setting.survey
    base = next(iter(chosen.values()))[0].value.base_frame
    yield f"# Proposed by `evla robot init` from {survey.source}. Lines with CHECK are guesses:"
    yield "# judge each, then run `evla robot check` on this file (docs/first_robot.md)."
    yield f"name: {name}"
    if base:
        yield f"base_frame: {base}    # frame of every pose, goal and limit"
    else:
        yield "base_frame: base_link    # CHECK: the measured poses name no frame"
    yield f"rate_hz: {setting.rate_hz:g}    # actions per second; no faster than the slowest camera"
    yield "goal_rate_hz: 50"
    yield ""
    yield "cameras:"
    for camera in cameras:
        transport = "compressed" if camera.topic.type == COMPRESSED_IMAGE else "raw"
        topic = setting.topic(camera.topic.name)
        keys = f"topic: {topic}, transport: {transport}, max_age_s: {camera.max_age_s}"
        yield f"  {camera.name}: {{{keys}}}    # {camera.note}"
        if camera.others:
            yield f"  #     or {', '.join(camera.others)}"
    yield from (f"  # not taken: {sentence}" for sentence in refused)
    yield ""
    task, stop = _named(setting, STRING, _TASKS), _named(setting, BOOL, _STOPS)
    yield f"instruction: {{topic: {task or 'instruction'}}}    # std_msgs/String"
    yield f"estop: {{topic: {stop or 'estop'}}}    # std_msgs/Bool, true = stop"
    joints = joint_topics(survey)
    if joints:
        yield f"joint_states: {setting.topic(joints[0].name)}"
    yield ""
    yield "arms:"
    grippers = False
    for arm, (pose, others) in chosen.items():
        lines = arm_lines(setting, arm, pose.value, others)
        grippers = grippers or "  gripper:" in lines
        yield from (f"  {line}" for line in lines)
    base_section, axes_section = base_lines(setting), axes_lines(setting)
    for section in (base_section, axes_section):
        yield from ["", *section] if section else []
    yield ""
    yield "action: {space: ee_delta, chunk: 8, source: commanded}    # achieved: bags without goals"
    own = ["ee_pose", *(["gripper"] if grippers else [])]
    own += [*(["base_velocity"] if base_section else []), *(["axes"] if axes_section else [])]
    yield f"proprio: [{', '.join(own)}]"


_TASKS = frozenset(["instruction", "task", "prompt", "language"])
_STOPS = frozenset(["estop", "emergency", "stop"])


def _named(setting: Setting, message_type: str, wanted: frozenset[str]) -> str:
    """Return the topic of a type whose name says what it is."""
    for topic in setting.survey.of_type(message_type):
        if has(topic.name, wanted):
            return setting.topic(topic.name)
    return ""


def _rate_hz(cameras: Sequence[CameraProposal]) -> float:
    slowest = min((c.topic.rate_hz for c in cameras if c.topic.rate_hz > 0), default=10.0)
    return 10.0 if slowest >= 9.5 else max(1.0, math.floor(slowest + 0.05))


def _told(survey: Survey, refused: Sequence[str]) -> str:
    if refused:
        return f" ({'; '.join(refused[:4])})"
    names = [f"{topic.name} ({topic.type.rsplit('/', 1)[-1]})" for topic in survey.topics.values()]
    more = ", ..." if len(names) > _SHOWN else ""
    return f"; it has {', '.join(names[:_SHOWN])}{more}" if names else "; it has no topic at all"
