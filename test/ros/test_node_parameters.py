# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A wrong or unknown parameter of a node is refused by name; ROS 2 itself ignores unknown ones."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.errors import EvlaError
from evla_ros.ros.parameters import Parameter, declare, read

pytestmark = pytest.mark.usefixtures("ros_domain")
TABLE = (
    Parameter("worker", "process", "where inference runs", choices=("process", "thread")),
    Parameter("rate_hz", 10.0, "of something", "Hz", 1.0, 50.0),
    Parameter("count", 3, "of something", "", 0, 9),
    Parameter("corner", [0.5, 0.5], "of something", "m"),
)


@pytest.fixture
def made():
    """Return what makes a node with parameters."""
    import rclpy
    from rclpy.context import Context
    from rclpy.parameter import Parameter as RosParameter

    context = Context()
    rclpy.init(context=context)
    nodes = []

    def make(**values):
        overrides = [RosParameter(name, value=value) for name, value in values.items()]
        node = rclpy.create_node("it", context=context, parameter_overrides=overrides)
        nodes.append(node)
        declare(node, TABLE)
        return node

    yield make
    for node in nodes:
        node.destroy_node()
    rclpy.shutdown(context=context)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"worker": "proces"},
            "worker: 'proces' is not accepted; did you mean 'process'",
        ),
        ({"wroker": "thread"}, "parameter wroker: unknown; did you mean 'worker'?"),
        ({"limits.arm.max_speed": 0.1}, "parameter limits.arm.max_speed: unknown; valid names: "),
    ],
)
def test_what_is_wrong_is_named(made, values, message):
    node = made(**values)
    with pytest.raises(EvlaError, match=message):
        read(node, TABLE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate_hz": "fast"}, "parameter rate_hz: 'fast' is not accepted; it takes a number Hz"),
        ({"rate_hz": True}, "parameter rate_hz: True is not accepted; it takes a number Hz"),
        ({"rate_hz": 99}, "parameter rate_hz: 99.0 is not accepted; it takes 1 to 50 Hz"),
        ({"worker": 7}, "parameter worker: 7 is not accepted; it takes a text"),
        ({"count": 2.5}, "parameter count: 2.5 is not accepted; it takes a whole number"),
    ],
)
def test_a_start_value_of_another_type_is_one_sentence(made, values, message):
    with pytest.raises(EvlaError, match=message):
        made(**values)


def test_a_whole_number_is_a_number_at_start_and_at_run_time(made):
    from rclpy.parameter import Parameter as RosParameter

    node = made(rate_hz=20, corner=[1, 2])
    assert read(node, TABLE)["rate_hz"] == 20.0
    assert isinstance(read(node, TABLE)["rate_hz"], float)
    assert list(read(node, TABLE)["corner"]) == [1.0, 2.0]
    if not hasattr(node, "add_pre_set_parameters_callback"):
        pytest.skip("Humble refuses it at run time")
    assert node.set_parameters([RosParameter("rate_hz", value=30)])[0].successful
    assert read(node, TABLE)["rate_hz"] == 30.0
    refused = node.set_parameters([RosParameter("rate_hz", value="fast")])[0]
    assert not refused.successful
    assert "rate_hz" in refused.reason or "type" in refused.reason
    assert len(refused.reason.splitlines()) == 1


def test_what_ros_and_later_declarations_own_is_left_to_them(made):
    node = made(use_sim_time=True, **{"limits.arm.max_speed": 0.1, "worker": "thread"})
    values = read(node, TABLE, ("limits.",))
    assert values == {"worker": "thread", "rate_hz": 10.0, "count": 3, "corner": values["corner"]}
    assert "rate_hz: 99.0 is not accepted; it takes 1 to 50 Hz" in TABLE[1].problem(99.0)
