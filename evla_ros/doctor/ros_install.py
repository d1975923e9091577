# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor's look at ROS 2: where it comes from, whether messages arrive, what is built."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from evla_ros.doctor.finding import MachineFinding, note, ok, red
from evla_ros.shared_files import in_checkout, interface_files

BUILD = "`make build` and `. ./env.sh`, or `colcon build` and source the workspace"
LIMIT_S = 30.0


def check() -> Iterator[MachineFinding]:
    """Look at rclpy, send real messages between two processes, and import our interfaces."""
    spec = importlib.util.find_spec("rclpy")
    if spec is None or spec.origin is None:
        yield red("ROS 2", "rclpy", "not found", f"source a ROS 2 distro, or {BUILD}")
        return
    try:
        rclpy = importlib.import_module("rclpy")
        rmw = rclpy.get_rmw_implementation_identifier()
    except (ImportError, RuntimeError) as error:
        yield red("ROS 2", "rclpy", f"cannot be imported: {error}", f"{BUILD} in this shell")
        return
    yield ok(
        "ROS 2", "distro", f"{os.environ.get('ROS_DISTRO', 'unknown')}, {_origin(spec.origin)}"
    )
    yield ok("ROS 2", "middleware", rmw)
    yield _self_test()
    yield _interfaces()
    yield _tools()


def _origin(path: str) -> str:
    folder = Path(path).parent.parent
    if folder.is_relative_to(sys.prefix) and sys.prefix != sys.base_prefix:
        return f"wheels in {sys.prefix}"
    return f"installed in {folder}"


def _self_test() -> MachineFinding:
    command = [sys.executable, "-m", "evla_ros.doctor.ros_self_test"]
    answer: dict[str, float] = {}
    cause = ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
        cause = _error_in(done.stderr)
    except (subprocess.TimeoutExpired, ValueError):
        pass
    if not answer.get("received"):
        fix = "allow UDP on the loopback and network interfaces (firewall, container), same domain"
        if os.environ.get("ROS_SECURITY_ENABLE") == "true":
            fix = "`ROS_SECURITY_ENABLE=false evla doctor`: the doctor's own nodes have no keys"
        seen = f"no message went from one process to another{cause}"
        return red("ROS 2", "self-test", seen, fix)
    seen = f"{answer['received']} of {answer['sent']} messages between two processes"
    return ok("ROS 2", "self-test", f"{seen}, p50 {answer['p50_ms']:.2f} ms")


def _error_in(stderr: str) -> str:
    """Return the last exception of a process as ` (...)`; empty where there is none."""
    _, found, text = stderr.rpartition("Error: ")
    return f" ({' '.join(text.split())[:160]})" if found else ""


def _interfaces() -> MachineFinding:
    try:
        built = {kind: importlib.import_module(f"evla_ros.{kind}") for kind in _PARTS}
    except ImportError as error:
        return red("ROS 2", "interfaces", f"not built: {error}", BUILD)
    stale = sorted(path.stem for path in _definitions() if not _matches(path, built))
    if stale:
        seen = f"built from older files: {', '.join(stale)}"
        return red("ROS 2", "interfaces", seen, BUILD)
    return ok("ROS 2", "interfaces", f"built, in {Path(str(built['msg'].__file__)).parent}")


# Per kind of interface, the classes that hold its fields; a message holds its own.
_PARTS = {"msg": (), "srv": ("Request", "Response"), "action": ("Goal", "Result", "Feedback")}


def _definitions() -> list[Path]:
    """Return the interface files of the checkout; none where the package is installed."""
    return [path for kind in _PARTS for path in interface_files(kind)] if in_checkout() else []


def _matches(path: Path, modules: Mapping[str, object]) -> bool:
    kind = path.suffix.removeprefix(".")
    built = getattr(modules[kind], path.stem, None)
    if built is None:
        return False
    parts = [getattr(built, part) for part in _PARTS[kind]] or [built]
    names = [name for part in parts for name in part.get_fields_and_field_types()]
    names += [name for part in parts for name in dir(part) if name.isupper()]
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    declared = re.findall(r"^\S+[ \t]+(\w+)", text, flags=re.MULTILINE)
    return set(declared) <= set(names)


def _tools() -> MachineFinding:
    if importlib.util.find_spec("launch_ros") is None:
        fix = "`evla run` starts the same nodes; `ros2 launch` needs a sourced ROS 2 distro"
        return note("ROS 2", "ros2 launch", "not here (it is not on PyPI)", fix)
    return ok("ROS 2", "ros2 launch", "found")
