# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""ROS 2: where it comes from, whether it carries a message, whether our interfaces are built."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from evla_ros.doctor.finding import Finding, note, ok, red

BUILD = "`make build` and `. ./env.sh`, or `colcon build` and source the workspace"
LIMIT_S = 30.0


def check() -> Iterator[Finding]:
    """Look at rclpy, run a real publish and receive, and import the interfaces."""
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
    yield ok("ROS 2", "middleware", f"{rmw}, domain {os.environ.get('ROS_DOMAIN_ID', '0')}")
    yield _self_test()
    yield _interfaces()
    yield _tools()


def _origin(path: str) -> str:
    folder = Path(path).parent.parent
    if folder.is_relative_to(sys.prefix) and sys.prefix != sys.base_prefix:
        return f"wheels in {sys.prefix}"
    return f"installed in {folder}"


def _self_test() -> Finding:
    command = [sys.executable, "-m", "evla_ros.doctor.ros_self_test"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S)
        answer = json.loads(done.stdout) if done.returncode == 0 else {}
    except (subprocess.TimeoutExpired, ValueError):
        answer = {}
    if not answer.get("received"):
        fix = "allow UDP on the loopback and network interfaces (firewall, container), same domain"
        return red("ROS 2", "self-test", "no message went from one process to another", fix)
    seen = f"{answer['received']} of {answer['sent']} messages between two processes"
    return ok("ROS 2", "self-test", f"{seen}, p50 {answer['p50_ms']:.2f} ms")


def _interfaces() -> Finding:
    try:
        messages = importlib.import_module("evla_ros.msg")
        services = importlib.import_module("evla_ros.srv")
    except ImportError as error:
        return red("ROS 2", "interfaces", f"not built: {error}", BUILD)
    stale = sorted(path.stem for path in _definitions() if not _matches(path, messages, services))
    if stale:
        seen = f"built from older files: {', '.join(stale)}"
        return red("ROS 2", "interfaces", seen, BUILD)
    return ok("ROS 2", "interfaces", f"built, in {Path(str(messages.__file__)).parent}")


def _definitions() -> list[Path]:
    """Return the interface files of the checkout; none where the package is installed."""
    root = Path(__file__).resolve().parents[2]
    return [*root.glob("msg/*.msg"), *root.glob("srv/*.srv")]


def _matches(path: Path, messages: object, services: object) -> bool:
    built = getattr(messages if path.suffix == ".msg" else services, path.stem, None)
    if built is None:
        return False
    parts = (built,) if path.suffix == ".msg" else (built.Request, built.Response)
    names = [name for part in parts for name in part.get_fields_and_field_types()]
    names += [name for part in parts for name in dir(part) if name.isupper()]
    text = re.sub(r"#.*", "", path.read_text(encoding="utf-8"))
    wanted = re.findall(r"^\S+[ \t]+(\w+)", text, flags=re.MULTILINE)
    return set(wanted) <= set(names)


def _tools() -> Finding:
    if importlib.util.find_spec("launch_ros") is None:
        fix = "`evla demo` starts the same nodes; `ros2 launch` needs a sourced ROS 2 distro"
        return note("ROS 2", "ros2 launch", "not here (it is not on PyPI)", fix)
    return ok("ROS 2", "ros2 launch", "found")
