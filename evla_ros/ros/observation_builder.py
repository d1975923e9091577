# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From what the subscriptions kept to what the policy sees; images are decoded here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evla_ros.control.arm_channel import ArmChannel
from evla_ros.data.alignment.observation import proprio_vector
from evla_ros.data.alignment.stream_buffer import StreamBuffer
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.policy.types import Observation
from evla_ros.ros.camera_input import RawImage
from evla_ros.ros.image_codec import decode_rgb


class BadImageError(EvlaError):
    """An image that cannot be decoded; `camera` says which."""

    def __init__(self, camera: str, problem: str) -> None:
        self.camera = camera
        super().__init__(problem)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything an inference needs, taken under the lock; images are still raw."""

    epoch: int
    stamp_ns: int
    images: Mapping[str, RawImage]
    observation: Observation


def snapshot(
    embodiment: Embodiment,
    images: Mapping[str, RawImage],
    arms: Sequence[ArmChannel],
    openings: Sequence[StreamBuffer],
    joints: Mapping[str, float],
    instruction: str,
    epoch: int,
) -> Snapshot:
    """Take the newest images and, causally, the poses and openings at the newest image's time.

    Raises ObservationError when a pose or an opening is missing.
    """
    stamp_ns = max(image.stamp_ns for image in images.values())
    poses = {arm.name: arm.history.latest_before(stamp_ns) for arm in arms}
    known = {name: pose for name, pose in poses.items() if pose is not None}
    samples = {arm.name: buffer.at(stamp_ns) for arm, buffer in zip(arms, openings, strict=True)}
    opened = {name: sample.payload for name, sample in samples.items() if sample is not None}
    proprio = proprio_vector(embodiment, known, opened, joints)
    return Snapshot(epoch, stamp_ns, images, Observation(stamp_ns, {}, proprio, instruction))


def decoded(taken: Snapshot, embodiment: Embodiment) -> Observation:
    """Return the observation with its images as RGB; raises BadImageError naming the camera."""
    pictures = {}
    for name, image in taken.images.items():
        try:
            pictures[name] = decode_rgb(image.data, embodiment.cameras[name].transport)
        except EvlaError as error:
            raise BadImageError(name, str(error)) from error
    bare = taken.observation
    return Observation(bare.stamp_ns, pictures, bare.proprio, bare.instruction)
