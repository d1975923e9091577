# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla run`: start one node with its parameters, as its launch file does, without `ros2`."""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from evla_ros.cli.parser import UsageError
from evla_ros.options import Option

EXAMPLES = """examples:
  evla run policy --embodiment my_robot.yaml --set checkpoint=outputs/my_robot/best device=cuda
  evla run policy --embodiment my_robot.yaml --set policy=circle shadow=true   nothing moves
  evla run recorder --embodiment my_robot.yaml --set output=recordings operator=ada
  evla run teleop --embodiment my_robot.yaml                    keyboard, in this terminal
  evla run sim --set world=humanoid_upper_body
  evla run console --embodiment my_robot.yaml --set recordings=recordings port=8081
  evla run policy --namespace left_robot --params-file left_policy.yaml
  evla run policy --ros-args -r instruction:=/voice/instruction --log-level debug

policy and recorder configure and activate themselves, unless the parameter file or --set says
autostart=false; then `evla call policy configure` and `evla call policy activate`.
Nothing moves before `evla call policy start`. Ctrl-C ends the node; the policy holds the arm first.
exit code: 0 ended when asked to, 1 failed, 2 refused its settings"""

_LIFECYCLE = ("policy", "recorder")
TABLES = MappingProxyType(
    {
        "policy": "evla_ros.ros.policy.parameters",
        "recorder": "evla_ros.ros.recorder.parameters",
        "teleop": "evla_ros.ros.teleop.parameters",
        "sim": "evla_ros.ros.simulator.parameters",
        "console": "evla_ros.console.parameters",
    }
)


@dataclass(frozen=True)
class Options:
    """Which node, and its settings."""

    node: Annotated[
        Literal["policy", "recorder", "teleop", "sim", "console"],
        Option("what to run", positional=True),
    ]
    embodiment: Annotated[
        str, Option("the robot: name or file", "NAME_OR_FILE", unset="what the parameter file says")
    ] = ""
    params_file: Annotated[
        Path | None, Option("YAML of its parameters", metavar="FILE", unset="the shipped one")
    ] = None
    parameters: Annotated[
        tuple[str, ...],
        Option(
            "parameters, over those of the file",
            "NAME=VALUE",
            flag="set",
            commas=True,
            unset="none",
        ),
    ] = ()
    namespace: Annotated[str, Option("of the robot", metavar="NAME", unset="none")] = ""
    ros_args: Annotated[
        tuple[str, ...],
        Option("what follows goes to ROS 2 as it is", "...", rest=True, unset="nothing"),
    ] = ()


def run(options: Options) -> int:
    """Run the node until Ctrl-C; returns its exit code."""
    from evla_ros.ros.executables import run as run_executable
    from evla_ros.ros.node_arguments import enclave_arguments, parameter_file, says_autostart

    given = dict(_pair(text) for text in options.parameters)
    if options.embodiment:
        _load(options.embodiment)
        given["embodiment"] = options.embodiment
    name = str(options.params_file or "")
    file = parameter_file(options.node, name, f"--params-file {name}")
    if options.node in _LIFECYCLE and "autostart" not in given and not says_autostart(file):
        given["autostart"] = "true"
    words = ["--ros-args", "--params-file", str(file)]
    for parameter, text in given.items():
        words += ["-p", f"{parameter}:={_yaml(options.node, parameter, text)}"]
    if options.namespace:
        words += ["-r", f"__ns:=/{options.namespace.strip('/')}"]
    words += enclave_arguments(options.node, options.namespace, os.environ)
    sys.argv = [sys.argv[0], *words, *options.ros_args]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Started in the background of a script, it would ignore Ctrl-C and never end in order.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return run_executable(options.node)


def _pair(text: str) -> tuple[str, str]:
    name, found, value = text.replace(":=", "=", 1).partition("=")
    if not found or not name:
        raise UsageError(f"--set {text!r}: write NAME=VALUE; see `evla run --help`")
    return name, value


def _load(embodiment: str) -> None:
    """Refuse a file that does not load before anything starts."""
    from evla_ros.embodiment import load_embodiment

    load_embodiment(embodiment)


def _yaml(node: str, parameter: str, text: str) -> str:
    """Return a value as ROS 2 reads it: a parameter that is a text stays one, `007` as well."""
    try:
        table = importlib.import_module(TABLES[node]).TABLE
    except ImportError:  # no ROS 2 here: the node's executable says so
        return text
    texts = {row.name for row in table if isinstance(row.default, str)}
    quoted = text[:1] in "'\"" and text[:1] == text[-1:] and len(text) > 1
    return json.dumps(text, ensure_ascii=False) if parameter in texts and not quoted else text
