# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot's access rules as SROS2 reads them: an XML policy file of version 0.2.0.

One enclave a node, named like the node with its namespace, and one for the operator. `ros2 security
generate_artifacts` makes keys and signed permissions of it (docs/network.md).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import gripper_actions, streams_of
from evla_ros.errors import EvlaError
from evla_ros.reading.yaml_files import read_yaml
from evla_ros.ros.parameters import Parameter
from evla_ros.ros.policy import parameters as policy
from evla_ros.ros.recorder import parameters as recorder
from evla_ros.ros.security.access import (
    ANY_NODE,
    Access,
    console_access,
    operator_access,
    policy_access,
    recorder_access,
    sim_access,
    teleop_access,
)
from evla_ros.ros.teleop import parameters as teleop

OPERATOR = "operator"
# Nodes of the `ros2` command: they come and go under names such as _ros2cli_1234, in no namespace.
COMMAND_LINE = "_ros2cli_*"
# Which attribute of which XML element allows what.
_RULES = (
    ("topics", "topic", "publish", "publishes"),
    ("topics", "topic", "subscribe", "subscribes"),
    ("services", "service", "reply", "serves"),
    ("services", "service", "request", "requests"),
    ("actions", "action", "execute", "executes"),
    ("actions", "action", "call", "calls"),
)


def robot_access(embodiment: Embodiment, files: Sequence[Path] = ()) -> dict[str, Access]:
    """Return what every node of a robot may do, and the operator, by node name.

    The simulator is among them where it is installed.

    Args:
        embodiment: The robot.
        files: Parameter files of the nodes; what they do not say has its default.

    Raises:
        EvlaError: A parameter file cannot be read.
    """
    streams = streams_of(embodiment)
    servo = any(arm.goal.executor == "servo" for arm in embodiment.arms)
    of_policy = _values("policy", policy.TABLE, files)
    silent, grips = of_policy["shadow"], Access(calls=frozenset(gripper_actions(embodiment)))
    nodes = {
        "policy": policy_access(streams, of_policy, servo=servo) | (Access() if silent else grips),
        "recorder": recorder_access(streams, _values("recorder", recorder.TABLE, files)),
        "teleop": teleop_access(streams, _values("teleop", teleop.TABLE, files)) | grips,
        "console": console_access(streams),
    }
    if importlib.util.find_spec("mujoco") is not None:
        from evla_ros.ros.simulator import parameters as simulator

        serves = Access(executes=frozenset(gripper_actions(embodiment)))
        nodes["sim"] = sim_access(streams, _values("sim", simulator.TABLE, files)) | serves
    return {**nodes, OPERATOR: operator_access(streams, nodes)}


def policy_xml(nodes: Mapping[str, Access], namespace: str = "/") -> str:
    """Return the policy file of nodes that share a namespace, such as `/left_robot`.

    Raises:
        EvlaError: The namespace does not begin with a slash.
    """
    if not namespace.startswith("/"):
        raise EvlaError(f"namespace {namespace!r} is not absolute; write '/{namespace}'")
    namespace = namespace.rstrip("/") or "/"
    root = ET.Element("policy", version="0.2.0")
    enclaves = ET.SubElement(root, "enclaves")
    for name, access in nodes.items():
        path = f"{namespace.rstrip('/')}/{name}"
        enclave = ET.SubElement(enclaves, "enclave", path=path)
        profiles = ET.SubElement(enclave, "profiles")
        _add_profile(profiles, namespace, name, access)
        if name == OPERATOR:
            _add_profile(profiles, "/", COMMAND_LINE, ANY_NODE)
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def write_policy(
    target: Path, embodiment: Embodiment, namespace: str = "/", files: Sequence[Path] = ()
) -> list[str]:
    """Write the policy file of a robot and return the names of its nodes.

    Raises:
        EvlaError: There is such a file already, or a parameter file cannot be read.
    """
    nodes = robot_access(embodiment, files)
    text = policy_xml(nodes, namespace)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise EvlaError(f"{target} exists already; remove it or name another file") from None
    return list(nodes)


def _add_profile(profiles: ET.Element, namespace: str, node: str, access: Access) -> None:
    profile = ET.SubElement(profiles, "profile", ns=namespace, node=node)
    for group, item, attribute, field in _RULES:
        names: Iterable[str] = sorted(getattr(access, field))
        if names:
            rules = ET.SubElement(profile, group, {attribute: "ALLOW"})
            for name in names:
                ET.SubElement(rules, item).text = name


def _values(node: str, table: Sequence[Parameter], files: Sequence[Path]) -> dict[str, Any]:
    """Return a node's parameters: those that files set, a later file before an earlier one."""
    values: dict[str, Any] = {row.name: row.default for row in table}
    for file in files:
        values |= _parameters_of(read_yaml(file), node)
    return values


def _parameters_of(tree: Any, node: str, key: str = "") -> dict[str, Any]:
    """Return what `ros__parameters` under a node's name, or under a wildcard, set."""
    found: dict[str, Any] = {}
    for name, branch in tree.items() if isinstance(tree, dict) else ():
        if name != "ros__parameters":
            found |= _parameters_of(branch, node, str(name).rsplit("/", 1)[-1])
        elif key in (node, "*", "**") and isinstance(branch, dict):
            found |= branch
    return found
