# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The control core as the threads of the policy node share it; only this file takes its lock.

Subscriptions call `observe_*`, the inference thread waits in `next_observation` and answers with
`accept`, the goal loop calls `tick`, the operator's services the rest.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from evla_ros.control.acceptance import Acceptance
from evla_ros.control.controller import Controller
from evla_ros.control.limits.moving_parts import RobotLimits
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.ticks import Tick, Told
from evla_ros.data.alignment.observation import BaseState
from evla_ros.data.codecs.joints import JointsMessage
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.policy.types import Chunk
from evla_ros.ros.arm_input import OnProblem
from evla_ros.ros.graph import GraphView
from evla_ros.ros.policy.core_status import CoreStatus, GoalCount, core_status
from evla_ros.ros.policy.observation_wait import ObservationWait
from evla_ros.ros.policy.observations import Observations, RawImage, Snapshot

MAX_INSTRUCTION = 1000  # characters; far beyond what a policy reads, and every status carries it


class SharedCore:
    """Every method may be called from any thread; `next_observation` alone makes its caller wait.

    A stamp of 0 counts as now. Whatever may change what the robot does nudges the goal loop.
    """

    def __init__(
        self,
        embodiment: Embodiment,
        controller: Controller,
        now_ns: Callable[[], int],
        nudge: Callable[[], None] = lambda: None,
        policy_alive: Callable[[], bool] = lambda: True,
        *,
        fresh_wait_s: float = 0.0,
        instant_wait_s: float = 0.0,
    ) -> None:
        """Take over the controller.

        Args:
            embodiment: The robot.
            controller: Decides what to publish; nobody else may use it any more.
            now_ns: Reads the node's clock [ns].
            nudge: Makes the goal loop tick at once.
            policy_alive: Says whether the policy can answer; asked in every tick.
            fresh_wait_s: How long an inference waits for an image that has just arrived [s].
            instant_wait_s: How long it then waits for what was sampled with that image [s].
        """
        self.embodiment, self.now_ns = embodiment, now_ns
        self._controller, self._nudge, self._policy_alive = controller, nudge, policy_alive
        self._lock = threading.Lock()
        self._seen = Observations(embodiment)
        self._wait = ObservationWait(
            threading.Condition(self._lock),
            self._may_begin,
            lambda: self._seen.has_fresh_image(now_ns()),
            lambda until_ns: self._seen.complete(controller, until_ns),
            now_ns,
            fresh_wait_s,
            instant_wait_s,
        )
        self._tick = Tick(0, Finding(Reason.INACTIVE), Told(()))
        self._goals = GoalCount()
        self._jumps = 0

    # -- the operator --

    def reset(self) -> None:
        """Begin a life: not started, silent, no sample kept."""
        with self._lock:
            self._controller.reset()
            self._seen.clear()

    def start(self) -> Finding | None:
        """Let the robot move; returns why not, None when it is started."""
        with self._lock:
            refusal = self._controller.start(self.now_ns())
        self._nudge()
        return refusal

    def stop(self, finding: Finding | None = None) -> bool:
        """End motion until the next start, for a reason; returns whether there was any."""
        with self._lock:
            started = self._controller.started
            self._controller.stop(self.now_ns(), finding)
            self._wait.look()
        self._nudge()
        return started

    @property
    def at_rest(self) -> bool:
        """Whether motion has ended and every hold has arrived."""
        with self._lock:
            return self._controller.at_rest

    def set_instruction(self, text: str) -> None:
        """Take a new instruction; it counts from the next inference on.

        Raises EvlaError for one longer than MAX_INSTRUCTION; the one in use stays.
        """
        if len(text) > MAX_INSTRUCTION:
            raise EvlaError(
                f"the instruction {text[:40]!r}... has {len(text)} characters; at most "
                f"{MAX_INSTRUCTION} are taken: say the task in one sentence"
            )
        with self._lock:
            changed = self._controller.set_instruction(text.strip())
            self._wait.look()
        if changed:
            self._nudge()

    def set_limits(self, limits: RobotLimits) -> None:
        """Use these limits from the next tick on."""
        with self._lock:
            self._controller.parts.set_limits(limits)

    def set_estop(self, *, pressed: bool) -> None:
        """Take the state of the stop button; pressing latches."""
        with self._lock:
            changed = self._controller.inputs.set_estop(pressed, self.now_ns())
        if changed:
            self._nudge()

    def reset_estop(self) -> bool:
        """Release the latch; False while the button is still pressed."""
        with self._lock:
            return self._controller.inputs.reset_estop()

    def set_teleop(self, *, active: bool) -> None:
        """Take whether a person has the authority."""
        with self._lock:
            changed = self._controller.inputs.set_teleop(active)
        if changed:
            self._nudge()

    def see_graph(self, view: GraphView) -> None:
        """Take who else is in the graph."""
        with self._lock:
            changed = view.tell(self._controller.inputs.graph)
        if changed:
            self._nudge()

    def status(self) -> CoreStatus:
        """Return what there is to tell now."""
        with self._lock:
            lost = {name: count.lost for name, count in self._seen.publishers.items()}
            return core_status(self._controller, self._tick, self._goals, lost, self.now_ns())

    # -- what arrives --

    def observe_image(self, camera: str, image: RawImage) -> None:
        """Take an image; it starts the inference that waits for one."""
        with self._lock:
            self._controller.inputs.cameras[camera].note(image.stamp_ns, image.received_ns)
            self._seen.publishers[camera].note(image.sequence, image.received_ns)
            self._seen.images[camera] = image
            self._wait.image_arrived()

    def observe_pose(self, arm: int, stamp_ns: int, pose: Pose) -> None:
        """Take a measured pose in the base frame."""
        with self._lock:
            now_ns = self.now_ns()
            self._controller.note_pose(arm, stamp_ns or now_ns, pose, now_ns)
            self._wait.sample_arrived()

    def observe_odometry(self, stamp_ns: int, base: BaseState) -> None:
        """Take what the odometry of the base says."""
        with self._lock:
            now_ns = self.now_ns()
            stamp_ns = stamp_ns or now_ns
            if self._controller.note_odometry(stamp_ns, base.pose, base.velocity, now_ns):
                self._seen.add_odometry(stamp_ns, now_ns, base)
            self._wait.sample_arrived()

    def observe_axis(self, axis: int, stamp_ns: int, position: float) -> None:
        """Take the measured position of an axis [m or rad]."""
        with self._lock:
            now_ns = self.now_ns()
            self._controller.note_axis(axis, stamp_ns or now_ns, position, now_ns)
            self._wait.sample_arrived()

    def observe_opening(self, arm: int, stamp_ns: int, opening: float) -> None:
        """Take the measured opening of a gripper, 1 open, 0 closed."""
        with self._lock:
            now_ns = self.now_ns()
            self._seen.add_opening(arm, stamp_ns or now_ns, now_ns, opening)
            stream = self._controller.inputs.grippers[arm]
            if stream is not None:
                stream.note(stamp_ns or now_ns, now_ns)
            self._wait.sample_arrived()

    def unreported_grippers(self) -> list[str]:
        """Return the arms whose gripper counts as open because its action never reported."""
        with self._lock:
            return self._seen.unreported()

    def observe_joints(self, joints: JointsMessage) -> None:
        """Take the positions of all joints; they grow old while one of them has gone silent."""
        with self._lock:
            self._seen.joints.update(joints.positions)
            stream = self._controller.inputs.joints
            if stream is not None and joints.behind_ns <= stream.max_age_ns:
                stream.note(joints.stamp_ns, self.now_ns())

    def refuser(self, stream: str) -> OnProblem:
        """Return what says why a stream's sample is unusable; that holds until the next good one.

        The names are those of the status: `camera NAME`, `pose ARM`, `gripper ARM`,
        `odometry base`, `axis NAME`.
        """
        return partial(self.refuse, stream)

    def refuse(self, stream: str, problem: str, reason: Reason = Reason.INPUT_INVALID) -> bool:
        """Say why a sample of a stream (see `refuser`) is unusable; returns whether that is new."""
        with self._lock:
            watched = self._controller.inputs.watchdog.streams[stream]
            return watched.reject(problem, self.now_ns(), reason)

    def doubtful_images(self) -> dict[str, RawImage]:
        """Return per camera at fault its newest image, which nothing has decoded yet."""
        with self._lock:
            cameras = self._controller.inputs.cameras
            return {name: i for name, i in self._seen.images.items() if cameras[name].doubtful}

    def image_decoded(self, camera: str) -> None:
        """Say that a camera's images can be decoded again."""
        with self._lock:
            self._controller.inputs.cameras[camera].decoded()

    # -- inference --

    def next_observation(self, timeout_s: float, ended: threading.Event) -> Snapshot | None:
        """Wait for what the policy shall see; its inference counts as begun.

        Args:
            timeout_s: The longest time to wait for an inference to be wanted.
            ended: Ends the wait when it is set and `interrupt` is called.

        Returns:
            None when there is nothing to infer now.
        """
        with self._lock:
            start_ns = self._wait.next(timeout_s, ended)
            if start_ns is None:
                return None
            return self._seen.take(self._controller, start_ns, self.now_ns())

    def accept(self, chunk: Chunk, epoch: int) -> Acceptance:
        """Take the answer to an observation of `epoch`; returns what became of it."""
        with self._lock:
            return self._controller.accept(chunk, epoch, self.now_ns())

    def policy_failed(self, finding: Finding | None) -> None:
        """End an inference without an answer; None where the policy is not to blame."""
        with self._lock:
            if finding is None:
                self._controller.policy.discarded()
            else:
                self._controller.policy.failed(finding, self.now_ns())

    def policy_restarting(self, *, restarting: bool) -> None:
        """Say whether the policy's process is being started again."""
        with self._lock:
            self._controller.policy.restarting = restarting

    def interrupt(self) -> None:
        """Let who waits look again whether its wait has ended."""
        with self._lock:
            self._wait.interrupt()

    # -- the goal loop --

    def tick(self) -> Tick:
        """Return what to publish now; wakes the inference that has become due."""
        with self._lock:
            controller = self._controller
            if not self._policy_alive():
                controller.policy.restarting = True
            now_ns = self.now_ns()
            for name, count in self._seen.publishers.items():
                controller.inputs.cameras[name].conflict = count.conflict(now_ns)
            tick = controller.tick(now_ns, time.monotonic_ns())
            if controller.clock_jumps != self._jumps:
                self._jumps = controller.clock_jumps
                self._seen.clear()
            self._tick = tick
            self._goals.note(controller, now_ns)
            self._wait.look()
        return tick

    # -- with the lock held --

    def _may_begin(self) -> bool:
        return self._seen.has_new_image() and self._controller.wants_inference(self.now_ns())
