# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the topics of an embodiment are alive: who publishes, what type, how often."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from evla_ros.doctor.finding import Finding, ok, red
from evla_ros.embodiment import Embodiment

DISCOVERY_S = 1.0


@dataclass
class Stream:
    """A topic the policy listens to, its type and what came in."""

    name: str
    topic: str
    type_name: str
    wanted_hz: float
    arrivals_s: list[float] = field(default_factory=list)
    publishers: list[str] = field(default_factory=list)


def streams(embodiment: Embodiment) -> list[Stream]:
    """Return the input topics that the policy needs; each at least at the rate of the actions."""
    image = {"raw": "sensor_msgs/msg/Image", "compressed": "sensor_msgs/msg/CompressedImage"}
    found = [
        Stream(f"camera {name}", camera.topic, image[camera.transport], embodiment.rate_hz)
        for name, camera in embodiment.cameras.items()
    ]
    gripper = {"float64": "std_msgs/msg/Float64", "joint_state": "sensor_msgs/msg/JointState"}
    for arm in embodiment.arms:
        topic, kind = arm.pose.topic or "tf", "geometry_msgs/msg/PoseStamped"
        kind = kind if arm.pose.topic else "tf2_msgs/msg/TFMessage"
        found.append(Stream(f"pose {arm.name}", topic, kind, embodiment.rate_hz))
        if arm.gripper:
            state, kind = arm.gripper.state, gripper[arm.gripper.state_type]
            found.append(Stream(f"gripper {arm.name}", state, kind, embodiment.rate_hz))
    return found


def check(embodiment: Embodiment, listen_s: float = 3.0) -> Iterator[Finding]:
    """Listen to every stream for `listen_s` seconds and judge it."""
    wanted = streams(embodiment)
    classes = {stream.type_name: _message_class(stream.type_name) for stream in wanted}
    missing = [name for name, message in classes.items() if message is None]
    _listen([stream for stream in wanted if stream.type_name not in missing], classes, listen_s)
    for stream in wanted:
        if stream.type_name in missing:
            package = stream.type_name.partition("/")[0]
            seen = f"{stream.topic}: {package} is not installed"
            yield red(
                "topics", stream.name, seen, f"install {package}, or give the pose as a topic"
            )
        else:
            yield _judge(stream, listen_s)


def _message_class(type_name: str) -> type | None:
    package, _, name = type_name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name, None)
    except ImportError:
        return None


def _listen(wanted: list[Stream], classes: dict[str, type | None], listen_s: float) -> None:
    import rclpy
    from rclpy.qos import qos_profile_sensor_data

    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("evla_doctor", context=context)
    executor = rclpy.executors.SingleThreadedExecutor(context=context)
    executor.add_node(node)
    for stream in wanted:
        node.create_subscription(
            classes[stream.type_name],
            stream.topic,
            lambda _, stream=stream: stream.arrivals_s.append(time.monotonic()),
            qos_profile_sensor_data,
            raw=True,
        )
    end = time.monotonic() + DISCOVERY_S + listen_s
    while time.monotonic() < end:
        executor.spin_once(timeout_sec=0.05)
    for stream in wanted:
        topic = node.resolve_topic_name(stream.topic)
        stream.publishers = [info.topic_type for info in node.get_publishers_info_by_topic(topic)]
    executor.shutdown()
    node.destroy_node()
    rclpy.shutdown(context=context)


def _judge(stream: Stream, listen_s: float) -> Finding:
    if not stream.publishers:
        fix = "start its driver, or correct the topic in the embodiment file"
        return red("topics", stream.name, f"{stream.topic}: nobody publishes it", fix)
    others = sorted(set(stream.publishers) - {stream.type_name})
    if others and stream.type_name not in stream.publishers:
        fix = f"it must be {stream.type_name}: correct transport or topic in the embodiment file"
        return red("topics", stream.name, f"{stream.topic}: published as {others[0]}", fix)
    if len(stream.arrivals_s) < 2:
        seen = f"{stream.topic}: {len(stream.arrivals_s)} messages in {listen_s:.0f} s"
        return red("topics", stream.name, seen, "check that its driver runs and is not paused")
    span_s = stream.arrivals_s[-1] - stream.arrivals_s[0]
    rate_hz = (len(stream.arrivals_s) - 1) / max(span_s, 1e-9)
    seen = f"{stream.topic}: {rate_hz:.1f} Hz"
    if rate_hz < 0.9 * stream.wanted_hz:
        fix = f"the policy acts at {stream.wanted_hz:g} Hz: raise the driver's rate"
        return red("topics", stream.name, seen, fix)
    return ok("topics", stream.name, seen)
