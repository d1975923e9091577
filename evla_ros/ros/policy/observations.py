# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What has arrived, and what the policy shall see of it; images stay raw until `decoded`."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import NamedTuple

from evla_ros.control.controller import Controller
from evla_ros.control.reasons import Finding, Reason
from evla_ros.data.alignment.observation import BaseState, MovingState, proprio_vector
from evla_ros.data.alignment.stream_buffer import StampedSample, StreamBuffer
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import UNREPORTED_OPENING, Kind, StreamTable
from evla_ros.errors import EvlaError
from evla_ros.policy.types import Observation
from evla_ros.ros.image_codec import Rgb, decode_rgb
from evla_ros.ros.policy.publisher_count import PublisherCount

_PRIMARY = "primary"  # the camera whose images start inferences
_STAMP = attrgetter("stamp_ns")
_FRESH_NS = 10_000_000
_KEEP_NS = 5_000_000_000
_MANY = 20


class BadImageError(EvlaError):
    """An image that cannot be decoded; `camera` says which."""

    def __init__(self, camera: str, problem: str) -> None:
        self.camera = camera
        super().__init__(problem)


class RawImage(NamedTuple):
    """An image as it came.

    Attributes:
        stamp_ns: When it was taken, on the node's clock.
        received_ns: When it arrived, on the same clock.
        data: The message as CDR bytes.
        sequence: Its number among the publisher's messages; None where the middleware has none.
    """

    stamp_ns: int
    received_ns: int
    data: bytes
    sequence: int | None = None


class Snapshot(NamedTuple):
    """Everything that one inference needs, taken at one time.

    Attributes:
        start_ns: When the inference was decided on, on the node's clock.
        epoch: Epoch of the controller; `accept` wants it back with the chunk.
        images: Newest message of each camera, still raw.
        observation: What else the policy sees; it has no images yet.
    """

    start_ns: int
    epoch: int
    images: Mapping[str, RawImage]
    observation: Observation


class Observations:
    """The newest image of every camera and the recent samples of everything else.

    Knows no threads: its caller holds the lock of the core.
    """

    def __init__(self, embodiment: Embodiment) -> None:
        """Start with nothing seen."""
        self._embodiment = embodiment
        self._unanchored = 0
        self.joints: dict[str, float] = {}
        # A gripper that only reports while it works stays as it was, whatever the clock does.
        self._reported = {
            arm.name: UNREPORTED_OPENING
            for arm in embodiment.arms
            if arm.gripper is not None and arm.gripper.reports_by_action
        }
        self._heard: set[str] = set()
        self.publishers = {name: PublisherCount() for name in embodiment.cameras}
        self.clear()

    def clear(self) -> None:
        """Forget every sample; after a clock jump their times mean nothing."""
        self.images: dict[str, RawImage] = {}
        self.openings = [StreamBuffer() for _ in self._embodiment.arms]
        self._odometry = StreamBuffer()
        self._taken: RawImage | None = None
        for count in self.publishers.values():
            count.clear()

    def add_opening(self, arm: int, stamp_ns: int, received_ns: int, opening: float) -> None:
        """Keep the state of a gripper."""
        name = self._embodiment.arms[arm].name
        if name in self._reported:
            self._reported[name] = opening
            self._heard.add(name)
        self.openings[arm].push(StampedSample(stamp_ns, received_ns, opening))
        self.openings[arm].forget_before(received_ns - _KEEP_NS)

    def unreported(self) -> list[str]:
        """Return the arms whose gripper counts as open because its action never reported."""
        return [name for name in self._reported if name not in self._heard]

    def add_odometry(self, stamp_ns: int, received_ns: int, base: BaseState) -> None:
        """Keep believed odometry of the base."""
        self._odometry.push(StampedSample(stamp_ns, received_ns, base))
        self._odometry.forget_before(received_ns - _KEEP_NS)

    def has_new_image(self) -> bool:
        """Return whether every camera has an image, and the primary one is not taken yet."""
        everywhere = len(self.images) == len(self._embodiment.cameras)
        return everywhere and self.images[_PRIMARY] is not self._taken

    def has_fresh_image(self, now_ns: int) -> bool:
        """Return whether a new image has just arrived."""
        return self.has_new_image() and now_ns - self.images[_PRIMARY].received_ns <= _FRESH_NS

    def complete(self, controller: Controller, until_ns: int) -> bool:
        """Return whether no sample of the images' instant is expected before a time [ns]."""
        stamp_ns = max(self.images.values(), key=_STAMP).stamp_ns
        return not controller.inputs.owing(stamp_ns, until_ns)

    def take(self, controller: Controller, start_ns: int, now_ns: int) -> Snapshot | None:
        """Return the newest images, with poses and openings from no later than the newest image.

        Args:
            controller: Has the poses; its inference counts as begun.
            start_ns: When the inference was decided on.
            now_ns: The present time, on the same clock.

        Returns:
            None when poses or openings do not reach back to the images. That may be so at first; if
            it stays so, the controller is told which of them lacks.

        Raises:
            ObservationError: The proprio vector needs a joint that nobody has sent.
        """
        self._taken = self.images[_PRIMARY]
        stamp_ns = max(self.images.values(), key=_STAMP).stamp_ns
        lines = zip(controller.parts.lines, controller.inputs.lines, strict=True)
        anchored = all(line.anchor_at(stamp_ns, s.max_age_ns) is not None for line, s in lines)
        odometry = self._odometry.at(stamp_ns)
        anchored = anchored and (self._embodiment.base is None or odometry is not None)
        known = {
            arm.name: sample.payload
            for arm, opening in zip(self._embodiment.arms, self.openings, strict=True)
            if (sample := opening.at(stamp_ns)) is not None
        }
        known = {**self._reported, **known}
        grippers = {arm.name for arm in self._embodiment.arms if arm.gripper is not None}
        if not anchored or not known.keys() >= grippers:
            lacking = Reason.GRIPPER_MISSING if anchored else Reason.POSE_MISSING
            self._count_unanchored(controller, lacking, now_ns)
            return None
        self._unanchored = 0
        before = {arm.name: arm.history.latest_before(stamp_ns) for arm in controller.arms}
        measured = {name: pose for name, pose in before.items() if pose is not None}
        base = None if odometry is None else odometry.payload
        moving = MovingState(base, controller.parts.axes_at(stamp_ns))
        proprio = proprio_vector(self._embodiment, measured, known, self.joints, moving)
        controller.policy.begin(now_ns)
        bare = Observation(stamp_ns, {}, proprio, controller.inputs.instruction)
        return Snapshot(start_ns, controller.epoch, dict(self.images), bare)

    def _count_unanchored(self, controller: Controller, lacking: Reason, now_ns: int) -> None:
        self._unanchored += 1
        if self._unanchored == _MANY:
            detail = "nothing measured at the image's time; are both on one clock?"
            controller.policy.failed(Finding(lacking, detail), now_ns)
            self._unanchored = 0


def decoded(snapshot: Snapshot, streams: StreamTable) -> Observation:
    """Return the observation with its images as RGB; raises BadImageError naming the camera."""
    raw = {name: image.data for name, image in snapshot.images.items()}
    pictures = {name: decode_image(name, data, streams) for name, data in raw.items()}
    bare = snapshot.observation
    return Observation(bare.stamp_ns, pictures, bare.proprio, bare.instruction)


def decode_image(camera: str, data: bytes, streams: StreamTable) -> Rgb:
    """Return a camera's message as RGB [H, W, 3] uint8; raises BadImageError."""
    try:
        return decode_rgb(data, streams.get(Kind.CAMERA, camera).type)
    except EvlaError as error:
        raise BadImageError(camera, str(error)) from error
