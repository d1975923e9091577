# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node `console`: the graph on one side, the web server in a thread of its own on the other."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rclpy.node import Node

from evla_ros.console.graph.cameras import Cameras
from evla_ros.console.graph.inputs import Inputs
from evla_ros.console.graph.services import Services
from evla_ros.console.greeting import address_of, greeting
from evla_ros.console.library.dataset_job import DatasetJob
from evla_ros.console.library.episodes import Episodes
from evla_ros.console.parameters import TABLE, listening_of
from evla_ros.console.server.description import describe
from evla_ros.console.server.desk import Desk
from evla_ros.console.server.door import Door
from evla_ros.console.server.robot import Done, Drive, Picture
from evla_ros.console.server.web_thread import WebThread
from evla_ros.data.recording.open_episode import EventKind
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import streams_of
from evla_ros.msg import EpisodeEvent, TeleopCommand
from evla_ros.ros import parameters
from evla_ros.ros.qos import reliable
from evla_ros.version import version

ROLES = ("policy", "recorder", "teleop", "sim")


class ConsoleNode(Node):
    """A `Robot` for the server; every method of that protocol returns at once."""

    def __init__(self, **arguments: Any) -> None:
        """Join the graph and listen; raises EvlaError for a wrong parameter or address."""
        super().__init__("console", **arguments)
        parameters.declare(self, TABLE)
        values = parameters.read(self, TABLE)
        listening = listening_of(values)
        door = Door(listening)
        self._embodiment = embodiment = load_embodiment(values["embodiment"])
        names = {role: values[role] for role in ROLES}
        self._drive = self.create_publisher(TeleopCommand, "~/teleop", reliable())
        self._notes = self.create_publisher(EpisodeEvent, "~/command", reliable(50))
        self._asking = Services(self, names)
        self._inputs = Inputs(self, embodiment, names)
        self._web: WebThread | None = None
        self._cameras = Cameras(
            self, streams_of(embodiment), values["video_hz"], values["jpeg_quality"],
            self._new_picture,
        )  # fmt: skip
        episodes = Episodes(Path(values["recordings"]).expanduser())
        job = DatasetJob(Path(values["datasets"]).expanduser())
        desk = Desk(self, episodes, job, values["dead_man_s"])
        try:
            self._web = WebThread(listening, door, desk)
        except BaseException:
            self._cameras.close()
            raise
        self.address = address_of(listening, self._web.port)
        print(greeting(self.address, door.links(self.address)), file=sys.stderr, flush=True)

    def finish(self) -> None:
        """Let go of the dead-man and close the page."""
        self.drive(None)
        if self._web is not None:
            self._web.end()
        self._cameras.close()

    # -- what the server asks for --

    def description(self) -> dict[str, Any]:
        """Return what does not change of the robot."""
        described = describe(self._embodiment)
        return {**described, "namespace": self.get_namespace(), "version": version()}

    def state(self) -> dict[str, Any]:
        """Return what the page shows."""
        nodes = {
            "policy": self.there("policy", "stop"),
            "recorder": self.there("recorder", "start"),
            "teleop": self.there("teleop", "stop"),
            "sim": self.there("sim", "reset"),
        }
        return {**self._inputs.state(), "nodes": nodes, "camera_problems": self._cameras.problems()}

    def ask(self, node: str, service: str, fields: Mapping[str, Any], done: Done) -> None:
        """Ask a service."""

        def answered(success: bool, sentence: str) -> None:
            if node == "recorder" and service in ("keep", "discard"):
                self._inputs.report(sentence)
            done(success, sentence)

        self._asking.ask(node, service, fields, answered)

    def there(self, node: str, service: str) -> bool:
        """Return whether a service can be asked."""
        return self._asking.there(node, service)

    def drive(self, command: Drive | None) -> None:
        """Send what a held dead-man asks for; None lets go."""
        message = TeleopCommand(dead_man=command is not None, gripper=math.nan)
        message.header.stamp = self.get_clock().now().to_msg()
        message.header.frame_id = self._embodiment.base_frame
        if command is not None:
            message.arm, message.axis = command.arm, command.axis
            message.linear, message.angular = list(command.linear), list(command.angular)
            message.base, message.axis_rate = list(command.base), command.axis_rate
            if command.gripper is not None:
                message.gripper = command.gripper
        self._drive.publish(message)

    def note(self, sentence: str) -> None:
        """Write who asked for what into log and bag."""
        self.get_logger().info(sentence)
        event = EpisodeEvent(kind=int(EventKind.COMMAND), note=sentence)
        event.header.stamp = self.get_clock().now().to_msg()
        event.header.frame_id = self._embodiment.base_frame
        self._notes.publish(event)

    def watch(self, cameras: Sequence[str]) -> None:
        """Say which cameras are looked at now."""
        self._cameras.watch(cameras)

    def picture(self, camera: str) -> Picture | None:
        """Return a camera's newest picture."""
        return self._cameras.picture(camera)

    def _new_picture(self) -> None:
        if self._web is not None:
            self._web.new_picture()
