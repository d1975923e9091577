# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The arguments of a node, for launch files and for the verbs and tools that start nodes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.reading.yaml_files import read_yaml
from evla_ros.shared_files import node_parameters


def parameter_file(node: str, text: str, given_as: str) -> Path:
    """Return a node's parameter file: the one that was named, else the shipped one.

    Args:
        node: Its name.
        text: The path that was given, empty for none.
        given_as: How it was given, such as `params_file:=my.yaml`, for the sentence.

    Raises:
        EvlaError: There is no such file.
    """
    path = Path(text) if text else node_parameters(node)
    if not path.is_file():
        raise EvlaError(f"{given_as}: there is no such file")
    return path


def says_autostart(file: Path) -> bool:
    """Return whether a parameter file says if its nodes start by themselves.

    Raises:
        EvlaError: It cannot be read as YAML.
    """

    def search(tree: object) -> bool:
        if not isinstance(tree, dict):
            return False
        return "autostart" in tree or any(search(branch) for branch in tree.values())

    return search(read_yaml(file))


def enclave_arguments(node: str, namespace: str, environment: Mapping[str, str]) -> list[str]:
    """Return what gives a node its keys where SROS2 is on: its enclave has its full name."""
    if environment.get("ROS_SECURITY_ENABLE") != "true":
        return []
    space = namespace.strip("/")
    return ["--enclave", f"/{space}/{node}" if space else f"/{node}"]


def parameter_arguments(parameters: Mapping[str, Any]) -> list[str]:
    """Return `-p name:=value ...` for ROS 2, which reads values as YAML; JSON is YAML.

    Args:
        parameters: Values by name: truth values, numbers, and texts or paths.
    """
    argv = []
    for name, value in parameters.items():
        plain = str(value) if isinstance(value, Path) else value
        argv += ["-p", f"{name}:={json.dumps(plain, ensure_ascii=False)}"]
    return argv
