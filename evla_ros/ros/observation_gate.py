# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The observation of the newest image, once everything that was sampled with it has arrived.

Messages of one instant arrive in any order. An inference waits for those that are due, a short time
at most; the goal loop never does.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from evla_ros.control.reasons import Finding, Reason
from evla_ros.ros.camera_input import RawImage
from evla_ros.ros.observation_builder import Snapshot, snapshot
from evla_ros.ros.robot_inputs import RobotInputs
from evla_ros.ros.shared_core import SharedCore

_FRESH_NS = 10_000_000
_MANY = 20


class ObservationGate:
    """One caller takes observations; any thread may note arrivals."""

    def __init__(
        self, core: SharedCore, inputs: RobotInputs, fresh_wait_s: float, instant_wait_s: float
    ) -> None:
        """fresh_wait_s: for a new image; instant_wait_s: then for what was sampled with it."""
        self._embodiment, self._controller = core.embodiment, core.controller
        self._lock, self._now_ns = core.lock, core.now_ns
        self._inputs = inputs
        self._fresh_wait_s, self._instant_wait_s = fresh_wait_s, instant_wait_s
        self._image = threading.Event()
        self._sample = threading.Event()
        self._closed = self._waiting = False
        self._unanchored = 0
        self._used: bytes | None = None

    def note_image(self, name: str) -> None:
        """A camera has a new image; the primary one starts inferences."""
        if name == "primary":
            self._image.set()
        self.note_sample()

    def note_sample(self) -> None:
        """Something arrived that an observation may be waiting for."""
        if self._waiting:
            self._sample.set()

    def close(self) -> None:
        """Let nobody wait any more; no further observation is handed out."""
        self._closed = True
        self._image.set()
        self._sample.set()

    def has_new_image(self) -> bool:
        """Return whether there is an image not taken yet; wait a little for a fresh one."""
        latest = self._inputs.cameras["primary"].latest
        if latest is None or latest.data is self._used or self._is_old(latest):
            self._image.clear()
            self._image.wait(self._fresh_wait_s)
            latest = self._inputs.cameras["primary"].latest
        return latest is not None and latest.data is not self._used

    def _is_old(self, image: RawImage) -> bool:
        return self._now_ns() - image.received_ns > _FRESH_NS

    def take(self) -> Snapshot | None:
        """Return what the policy shall see, None when no inference is wanted any more.

        The inference counts as begun with it.
        """
        deadline_s = time.monotonic() + self._instant_wait_s
        self._waiting = True
        try:
            while True:
                self._sample.clear()
                left_s = max(0.0, deadline_s - time.monotonic())
                with self._lock:
                    now_ns = self._now_ns()
                    if self._closed or not self._controller.wants_inference(now_ns):
                        return None
                    images = self._inputs.images()
                    if left_s == 0.0 or self._complete(images, now_ns + round(left_s * 1e9)):
                        return self._snapshot(images, now_ns)
                self._sample.wait(left_s)
        finally:
            self._waiting = False

    def _complete(self, images: Mapping[str, RawImage], until_ns: int) -> bool:
        return not self._controller.inputs.owing(_newest_ns(images), until_ns)

    def _snapshot(self, images: Mapping[str, RawImage], now_ns: int) -> Snapshot | None:
        if not self._anchored(_newest_ns(images), now_ns):
            return None
        controller = self._controller
        taken = snapshot(
            self._embodiment,
            images,
            controller.arms,
            self._inputs.openings,
            self._inputs.joints,
            controller.inputs.instruction,
            controller.epoch,
        )
        controller.policy.begin(now_ns)
        self._used = taken.images["primary"].data
        return taken

    def _anchored(self, stamp_ns: int, now_ns: int) -> bool:
        """Return whether poses and grippers reach back to the newest image.

        They may not at first; a robot that stays so is named.
        """
        lacking = self._lacking(stamp_ns)
        self._unanchored = 0 if lacking is None else self._unanchored + 1
        if lacking is not None and self._unanchored == _MANY:
            detail = "nothing measured at the image's time; are both on one clock?"
            self._controller.policy.failed(Finding(lacking, detail), now_ns)
            self._unanchored = 0
        return lacking is None

    def _lacking(self, stamp_ns: int) -> Reason | None:
        """Return what no sample tells of this time."""
        streams = self._controller.inputs.poses
        for arm, stream in zip(self._controller.arms, streams, strict=True):
            if arm.anchor_at(stamp_ns, stream.max_age_ns) is None:
                return Reason.POSE_MISSING
        for description, opening in zip(self._embodiment.arms, self._inputs.openings, strict=True):
            if description.gripper is not None and opening.at(stamp_ns) is None:
                return Reason.GRIPPER_MISSING
        return None


def _newest_ns(images: Mapping[str, RawImage]) -> int:
    return max(image.stamp_ns for image in images.values())
