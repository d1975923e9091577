# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which topics are cameras, and which of them is the primary one."""

from __future__ import annotations

import math
from dataclasses import dataclass

from evla_ros.data.proposal.choice import Candidate, Chooser, pick, ranked
from evla_ros.data.proposal.words import has, identifier
from evla_ros.data.survey.contents import Pictures
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.embodiment.streams import COMPRESSED_IMAGE, IMAGE

_NO_COLOUR = frozenset(
    [
        "depth",
        "disparity",
        "infra",
        "infra1",
        "infra2",
        "ir",
        "mask",
        "confidence",
        "theora",
        "zstd",
    ]
)
_ON_THE_ARM = frozenset(["wrist", "hand", "gripper", "eye", "tool", "ee", "eef", "arm"])
_IN_FRONT = frozenset(
    [
        "primary",
        "front",
        "main",
        "head",
        "external",
        "exterior",
        "scene",
        "third",
        "static",
        "base",
        "top",
    ]
)
_PLAIN = [
    "image",
    "images",
    "raw",
    "color",
    "colour",
    "rgb",
    "compressed",
    "rect",
    "camera",
    "cam",
    "sensor",
    "decompressed",
]
_MAX_AGE_S = 2.0


@dataclass(frozen=True)
class CameraProposal:
    """topic: as it was seen. others: topics with the same pictures in another form."""

    name: str
    topic: SeenTopic
    others: tuple[str, ...]

    @property
    def max_age_s(self) -> float:
        """Three periods, or half as much again as the worst that was seen [s]."""
        seen = self.topic
        period = 1.0 / seen.rate_hz if seen.rate_hz > 0 else 0.1
        delay = seen.delay_s if seen.delay_s is not None and 0.0 < seen.delay_s < 1.0 else 0.0
        age_s = max(0.3, 3.0 * period, 1.5 * (seen.gap_s + delay))
        return min(_MAX_AGE_S, math.ceil(age_s * 10.0 - 1e-6) / 10.0)

    @property
    def note(self) -> str:
        """What was seen of it."""
        pictures = self.topic.contents
        size = pictures.size if isinstance(pictures, Pictures) else None
        what = f"{size[0]}x{size[1]} " if size else ""
        encoding = pictures.encoding if isinstance(pictures, Pictures) else ""
        return f"{what}{encoding}, {self.topic.rate_hz:.1f} Hz".strip(", ")


def find_cameras(survey: Survey) -> tuple[list[CameraProposal], list[str]]:
    """Return the cameras, each once, and sentences about picture topics that are none."""
    groups: dict[str, list[SeenTopic]] = {}
    refused: list[str] = []
    for topic in survey.of_type(IMAGE, COMPRESSED_IMAGE):
        why = _why_not(topic)
        if why:
            refused.append(f"{topic.name}: {why}")
        else:
            groups.setdefault(_camera_of(topic.name), []).append(topic)
    cameras: list[CameraProposal] = []
    for key, topics in groups.items():
        best = min(
            topics, key=lambda t: (t.type != COMPRESSED_IMAGE, has(t.name, ["rect"]), t.name)
        )
        name = _unique(identifier(key, _PLAIN), [camera.name for camera in cameras])
        others = tuple(topic.name for topic in topics if topic is not best)
        cameras.append(CameraProposal(name, best, others))
    return cameras, refused


def choose_primary(cameras: list[CameraProposal], chooser: Chooser) -> list[CameraProposal]:
    """Return the cameras, the primary one first and named so."""
    candidates = [
        Candidate(camera, f"{camera.topic.name} ({camera.note})", _score(camera))
        for camera in cameras
    ]
    question = "Which camera shows the whole scene (the primary one)?"
    chosen, others = pick(chooser, question, ranked(candidates))
    primary = CameraProposal("primary", chosen.value.topic, chosen.value.others)
    taken = ["primary"]
    rest = []
    for camera in (one.value for one in others):
        name = _unique(camera.name, taken)
        taken.append(name)
        rest.append(CameraProposal(name, camera.topic, camera.others))
    return [primary, *rest]


def _why_not(topic: SeenTopic) -> str:
    pictures = topic.contents
    if not topic.count:
        return "no message came"
    if has(topic.name, _NO_COLOUR) or "compressedDepth" in topic.name:
        return "no colour picture, by its name"
    if isinstance(pictures, Pictures) and pictures.size is None:
        return topic.problem or "it holds no picture"
    return ""


def _camera_of(topic: str) -> str:
    """Return what the topics of one camera share: everything before the picture's own name."""
    parts = topic.split("/")
    while len(parts) > 2 and parts[-1] in ("compressed", "decompressed"):
        parts = parts[:-1]
    return "/".join(parts[:-1]) if len(parts) > 2 else topic


def _score(camera: CameraProposal) -> float:
    name = camera.topic.name
    return 10.0 * has(name, _IN_FRONT) - 20.0 * has(name, _ON_THE_ARM) + camera.topic.rate_hz / 1e3


def _unique(name: str, taken: list[str]) -> str:
    name = "camera" if name == "primary" and "primary" in taken else name
    numbered = (name if n == 1 else f"{name}_{n}" for n in range(1, len(taken) + 2))
    return next(one for one in numbered if one not in taken)
