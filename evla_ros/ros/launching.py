# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files share: declaring arguments, reading them strictly, starting nodes.

An argument that is not given never overrides the parameter file. Needs ROS 2's `launch` and
`launch_ros`, which are imported where they are used.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from evla_ros.errors import EvlaError, nearest
from evla_ros.ros.executables import REFUSED
from evla_ros.ros.node_arguments import enclave_arguments, parameter_file, says_autostart
from evla_ros.shared_files import shared_file

if TYPE_CHECKING:
    from launch import Action, LaunchContext, LaunchDescription

_YES = ("true", "1", "yes", "on")
_NO = ("false", "0", "no", "off")


@dataclass(frozen=True)
class Argument:
    """One argument of a launch file.

    Attributes:
        name: what is typed before `:=`.
        text: one line for `--show-args`.
        kind: how the value is read; a `number` is a whole one.
        parameter: the node parameter that it sets, '' for those that the launch file itself uses.
        default: '' keeps what the parameter file says.
    """

    name: str
    text: str
    kind: Literal["text", "switch", "number"] = "text"
    parameter: str = ""
    default: str = ""

    def value(self, text: str) -> str | bool | int:
        """Return the value of a text that was given.

        Raises:
            EvlaError: it is no boolean, or no whole number; the sentence names the argument.
        """
        if self.kind == "switch":
            return read_switch(self.name, text)
        if self.kind == "number":
            try:
                return int(text)
            except ValueError:
                raise EvlaError(f"{self.name}:={text} is not a whole number") from None
        return text


NAMESPACE = Argument("namespace", "of the robot; two robots in two namespaces run side by side")
USE_SIM_TIME = Argument("use_sim_time", "follow /clock", "switch", "use_sim_time")
LOG_LEVEL = Argument("log_level", "debug, info, warn or error", default="info")
USE_RESPAWN = Argument(
    "use_respawn", "start the node again when it dies; it comes back stopped", "switch", "", "false"
)
EMBODIMENT = Argument(
    "embodiment", "embodiment file, or the name of a shipped one", parameter="embodiment"
)
AUTOSTART = Argument(
    "autostart", "configure and activate by itself (as the parameter file says, else true)",
    "switch", "autostart",
)  # fmt: skip


def read_switch(name: str, text: str) -> bool:
    """Return a boolean argument; raises EvlaError for what is none."""
    word = text.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise EvlaError(f"{name}:={text} is neither true nor false; {nearest(word, _YES + _NO)}")


def describe(
    arguments: Sequence[Argument], build: Callable[[Mapping[str, str]], Sequence[Action]]
) -> LaunchDescription:
    """Return a launch description of these arguments; build: from their texts to actions."""
    from launch.actions import DeclareLaunchArgument, OpaqueFunction
    from launch.substitutions import LaunchConfiguration

    from launch import LaunchDescription

    def perform(context: LaunchContext) -> list[Action]:
        texts = {one.name: str(LaunchConfiguration(one.name).perform(context)) for one in arguments}
        return list(build(texts))

    declared = [
        DeclareLaunchArgument(one.name, default_value=one.default, description=one.text)
        for one in arguments
    ]
    return LaunchDescription([*declared, OpaqueFunction(function=perform)])


def node_arguments(node: str, *own: Argument) -> tuple[Argument, ...]:
    """Return the arguments that the launch file of any node has, and its own."""
    file = Argument("params_file", f"YAML of the node's parameters (default: {node}.yaml)")
    return (file, NAMESPACE, *own, USE_SIM_TIME, LOG_LEVEL)


def given_parameters(
    arguments: Sequence[Argument], texts: Mapping[str, str]
) -> dict[str, str | bool | int]:
    """Return the node parameters that were given; an empty text is one that was not."""
    return {
        one.parameter: one.value(texts[one.name])
        for one in arguments
        if one.parameter and texts.get(one.name, "")
    }


def node_actions(
    node: str, arguments: Sequence[Argument], texts: Mapping[str, str], *, lifecycle: bool = False
) -> list[Action]:
    """Return what starts a node of this package, and ends the launch when the node refuses.

    Args:
        node: name of its executable.
        arguments: the arguments of the launch file.
        texts: what was given for them; it overrides the parameter file.
        lifecycle: whether it is a lifecycle node, which then configures and activates itself unless
            the parameter file says whether it does.
    """
    from launch.actions import OpaqueFunction, RegisterEventHandler
    from launch.event_handlers import OnProcessExit
    from launch_ros.actions import LifecycleNode, Node

    respawn = read_switch("use_respawn", texts.get("use_respawn") or "false")
    file = parameter_file(node, texts["params_file"], f"params_file:={texts['params_file']}")
    given = given_parameters(arguments, texts)
    if lifecycle and "autostart" not in given and not says_autostart(file):
        given["autostart"] = True
    started = (LifecycleNode if lifecycle else Node)(
        package="evla_ros",
        executable=node,
        name=node,
        namespace=texts["namespace"],
        output="screen",
        respawn=respawn,
        respawn_delay=2.0,
        arguments=[
            "--ros-args",
            "--log-level",
            texts["log_level"],
            *enclave_arguments(node, texts["namespace"], os.environ),
        ],
        parameters=[str(file), given],
    )

    def refused(_context: LaunchContext) -> None:
        raise EvlaError(f"the node {node} refused its settings; its error is above")

    def on_exit(event: Any, _context: LaunchContext) -> list[Action] | None:
        return [OpaqueFunction(function=refused)] if event.returncode == REFUSED else None

    return [started, RegisterEventHandler(OnProcessExit(target_action=started, on_exit=on_exit))]


def include(file: str, texts: Mapping[str, str]) -> Action:
    """Return what includes another launch file of this package, with these arguments alone.

    What it declares stays its own: an argument of the same name in another file is not touched.
    """
    from launch.actions import GroupAction, IncludeLaunchDescription
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    path = str(shared_file("launch", f"{file}.launch.py"))
    part = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(path), launch_arguments=list(texts.items())
    )
    return GroupAction([part], scoped=True, forwarding=False)
