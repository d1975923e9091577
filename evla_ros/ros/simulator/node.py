# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulated robot as a ROS 2 node: publishes what a real one would, follows pose goals."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rosgraph_msgs.msg import Clock as ClockMessage

from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.gripper import gripper_value
from evla_ros.embodiment import Arm, load_embodiment
from evla_ros.embodiment.streams import POSE_STAMPED, Kind, Stream, streams_of
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import GeometryError
from evla_ros.msg import SimStatus
from evla_ros.ros.callbacks import repeat, serve, subscribe
from evla_ros.ros.message_types import message_class
from evla_ros.ros.pose_conversion import nanoseconds, time_message
from evla_ros.ros.qos import newest_only, reliable
from evla_ros.ros.simulator.gripper_server import GripperServer
from evla_ros.ros.simulator.messages import pose_of
from evla_ros.ros.simulator.moving_topics import MovingCommands
from evla_ros.ros.simulator.pace import Pace
from evla_ros.ros.simulator.parameters import sim_parameters
from evla_ros.ros.simulator.topics import SimTopics
from evla_ros.ros.simulator.way_commands import WayCommands
from evla_ros.sim.errors import UnstablePhysicsError
from evla_ros.sim.position_log import LOG_HZ, PositionLog
from evla_ros.sim.simulation import STEPS_PER_SERVO
from evla_ros.sim.tasks.task import Task
from evla_ros.sim.worlds import make_world
from evla_ros.srv import ResetSim
from evla_ros.units import SECOND_NS

_STATUS_HZ = 5.0
_CHECK_HZ = 10.0
_TICKS_AT_ONCE = 4
_SLOW = 0.95
_FIRST_STAMP_NS = SECOND_NS


class SimNode(Node):
    """One simulated world. A tick is the servo period of its arms, which track their last goal."""

    def __init__(self, **options: Any) -> None:
        """Compile the world and start its first episode; raises EvlaError for a wrong parameter."""
        super().__init__("sim", **options)
        self._p = sim_parameters(self)
        embodiment = load_embodiment(self._p.embodiment) if self._p.embodiment else None
        self._world = make_world(
            self._p.world, embodiment, image_size=self._p.image_size, quality=self._p.quality
        )
        self._streams = streams_of(self._world.embodiment)
        self._tick_s = STEPS_PER_SERVO * self._world.model.opt.timestep
        self._tick_ns = round(self._tick_s * 1e9)
        self._pace = Pace(self._tick_ns, self._p.speed)
        self._topics = SimTopics(
            self, self._world, compressed=self._p.compressed, jpeg_quality=self._p.jpeg_quality
        )
        self._status = self.create_publisher(SimStatus, "~/status", reliable(5))
        # Absolute by convention: every node with use_sim_time listens there, whatever its
        # namespace.
        self._clock_topic = (
            self.create_publisher(ClockMessage, "/clock", reliable(5))
            if self._p.own_clock
            else None
        )
        self._log = PositionLog() if self._p.positions else None
        self._sim_ns, self._ticks, self._episode = _FIRST_STAMP_NS, 0, 0
        self._reset_stamp_ns = 0
        self._seed, self._succeeded_once, self._success = 0, False, False
        self._answered: set[str] = set()
        self._stepped_ns, self._led = 0, False
        self._grippers: list[GripperServer] = []
        self._task = self._reset(self._p.task, self._p.seed)
        self._world.images()  # opens the rendering context, which takes a while
        for arm in self._world.embodiment.arms:
            self._listen(arm)
        self._moving = MovingCommands(self, self._world, self._refuse)
        self._ways = WayCommands(self, self._world, self._refuse)
        serve(self, ResetSim, "~/reset", self._on_reset, complete=self._describe)
        repeat(self, self._tick_s / self._p.speed, self._on_timer)
        self.get_logger().info(f"{self._p.world} is up: {self._task.instruction}")

    def finish(self) -> None:
        """Write what was kept, and free the rendering contexts."""
        if self._log is not None:
            self._log.write(Path(self._p.positions))
        self._world.close()

    # -- time --

    def _now_ns(self) -> int:
        if self._clock_topic is not None:
            return self._sim_ns
        return int(self.get_clock().now().nanoseconds)

    def _on_timer(self) -> None:
        now_ns = time.monotonic_ns()
        if self._p.lockstep and self._goals_come():
            if now_ns - self._stepped_ns <= self._p.lockstep_wait_s * 1e9:
                return
            self._led = False  # silence: real time until the next goal
        # Never all that are due: a machine that cannot keep up would listen to nobody any more.
        for _ in range(_TICKS_AT_ONCE):
            if not self._pace.due(time.monotonic_ns()):
                break
            self._step()

    def _goals_come(self) -> bool:
        """Whether somebody sends goals in this episode; without, lock-step would stand still."""
        goals = self._streams.of_kind(Kind.GOAL)
        return self._led and all(self.count_publishers(goal.topic) for goal in goals)

    def _step(self) -> None:
        self._ways.step(self._tick_ns)
        for gripper in self._grippers:
            gripper.step(self._tick_ns)
        try:
            self._world.step(self._tick_s)
        except UnstablePhysicsError as error:
            self.get_logger().error(f"{error}; a new episode starts")
            self._task = self._reset(self._task.instruction, -1)
            return
        self._answered.clear()
        self._sim_ns += self._tick_ns
        self._ticks += 1
        self._stepped_ns = time.monotonic_ns()
        self._pace.done(self._stepped_ns)
        self._publish()

    def _publish(self) -> None:
        stamp_ns = self._now_ns()
        if self._is_time_for(_CHECK_HZ):
            self._success = self._world.succeeded()
            self._succeeded_once |= self._success
        self._topics.publish_state(stamp_ns)
        if self._is_time_for(self._p.camera_rate_hz):
            self._topics.publish_cameras(stamp_ns)
        if self._log is not None and self._is_time_for(LOG_HZ):
            self._log.add(self._episode, self._world.time_ns / 1e9, self._world.data.qpos)
        if self._is_time_for(_STATUS_HZ):
            self._publish_status(stamp_ns)
        if self._clock_topic is not None:
            self._clock_topic.publish(ClockMessage(clock=time_message(stamp_ns)))

    def _is_time_for(self, rate_hz: float) -> bool:
        return self._ticks % max(1, round(1.0 / (rate_hz * self._tick_s))) == 0

    def _publish_status(self, stamp_ns: int) -> None:
        task = self._task
        message = SimStatus(
            task=task.family,
            instruction=task.instruction,
            seed=self._seed,
            episode=self._episode,
            elapsed_s=self._world.time_ns / 1e9,
            success=self._success,
            succeeded_once=self._succeeded_once,
            real_time_factor=self._pace.factor(time.monotonic_ns()),
        )
        message.header.stamp = time_message(stamp_ns)
        message.header.frame_id = self._world.embodiment.base_frame
        self._status.publish(message)
        if self._pace.lost_ns and message.real_time_factor < _SLOW * self._p.speed:
            self.get_logger().warning(
                f"this machine simulates {message.real_time_factor:.2f} s per second, "
                f"{self._p.speed:g} is asked for; smaller images or fewer cameras help",
                throttle_duration_sec=30.0,
            )

    # -- what it is told --

    def _listen(self, arm: Arm) -> None:
        goal = self._streams.get(Kind.GOAL, arm.name)
        if goal.type == POSE_STAMPED:
            on_goal = partial(self._on_goal, arm.name)
            subscribe(self, PoseStamped, goal.topic, on_goal, newest_only())
        elif self._p.lockstep:
            raise EvlaError(
                f"lockstep: true waits for a goal in every tick, but arm {arm.name!r} is told "
                "whole ways (executor: cartesian_trajectory); set lockstep: false"
            )
        stream = self._streams.find(Kind.GRIPPER_COMMAND, arm.name)
        if arm.gripper is not None and stream is None:
            self._grippers.append(GripperServer(self, self._world, arm, arm.gripper, self._refuse))
        if stream is not None:
            kind, on_gripper = message_class(stream.type), partial(self._on_gripper, arm, stream)
            subscribe(self, kind, stream.topic, on_gripper, reliable(10), raw=True)

    def _on_goal(self, arm: str, message: PoseStamped) -> None:
        frame, base = message.header.frame_id, self._world.embodiment.base_frame
        if frame not in ("", base):
            self._refuse(f"goal of {arm} in frame {frame!r}; this robot takes {base!r}")
            return
        if 0 < nanoseconds(message.header.stamp) < self._reset_stamp_ns:
            return  # sent before the reset, for an episode that is over
        try:
            goal = pose_of(message)
        except GeometryError as error:
            self._refuse(f"goal of {arm}: {error}")
            return
        self._world.command(arm, goal)
        self._answered.add(arm)
        self._led = True
        if self._p.lockstep and len(self._answered) == len(self._world.arms):
            self._step()

    def _on_gripper(self, arm: Arm, stream: Stream, data: bytes) -> None:
        try:
            _, value = gripper_value(stream, data)
        except BadSampleError as error:
            self._refuse(f"gripper command of {arm.name}: {error}")
            return
        if arm.gripper is not None and value is not None:
            self._world.command(arm.name, None, arm.gripper.opening(value))

    def _refuse(self, sentence: str) -> None:
        self._world.rejected_commands += 1
        self.get_logger().warning(f"refused: {sentence}", throttle_duration_sec=1.0)

    # -- episodes --

    def _on_reset(self, request: Any) -> str:
        self._task = self._reset(request.task or self._task.instruction, request.seed)
        return f"episode {self._episode}"

    def _describe(self, response: Any) -> None:
        response.task, response.seed = self._task.family, self._seed
        response.instruction = self._task.instruction

    def _reset(self, instruction: str, seed: int) -> Task:
        chosen = seed if seed >= 0 else int(np.random.default_rng().integers(2**31))
        task = self._world.reset(chosen, instruction or None, self._p.randomize)
        self._seed, self._episode = chosen, self._episode + 1
        self._success = self._succeeded_once = False
        self._answered.clear()
        self._led = False
        if self._episode > 1:
            self._ways.clear()
        for gripper in self._grippers:
            gripper.clear()
        self._reset_stamp_ns = self._now_ns()
        if self._p.publish_instruction:
            self._topics.publish_instruction(task.instruction)
        return task
