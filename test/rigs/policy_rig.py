# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rig of the node benchmark with what only tests ask of a policy node."""

from __future__ import annotations

from typing import Any

from lifecycle_msgs.msg import Transition
from rcl_interfaces.srv import DescribeParameters, SetParameters
from rclpy.parameter import Parameter

from evla_ros.bench import policy_rig
from evla_ros.srv import SetInstruction

CONFIGURE, ACTIVATE = policy_rig.CONFIGURE, policy_rig.ACTIVATE
DEACTIVATE = Transition.TRANSITION_DEACTIVATE
CLEANUP = Transition.TRANSITION_CLEANUP


class Rig(policy_rig.Rig):
    """Also calls the node's other services, and waits for a reason."""

    def instruct(self, text: str) -> SetInstruction.Response:
        """Call ~/set_instruction."""
        request = SetInstruction.Request(instruction=text)
        return self.call(SetInstruction, "set_instruction", request)

    def set_parameter(self, name: str, value: object) -> tuple[bool, str]:
        """Set a parameter; returns whether it was taken and what the node said."""
        request = SetParameters.Request(
            parameters=[Parameter(name, value=value).to_parameter_msg()]
        )
        result = self.call(SetParameters, "set_parameters", request).results[0]
        return bool(result.successful), str(result.reason)

    def describe_parameter(self, name: str) -> Any:
        """Return the descriptor of a parameter."""
        request = DescribeParameters.Request(names=[name])
        return self.call(DescribeParameters, "describe_parameters", request).descriptors[0]

    def wait_for_reason(self, reason: int, timeout_s: float = 10.0) -> None:
        """Wait until the status gives that reason."""
        self.wait_for(
            lambda: self.statuses and self.statuses[-1].reason == reason, f"{reason!r}", timeout_s
        )
