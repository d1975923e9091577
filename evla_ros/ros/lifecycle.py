# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What rclpy's lifecycle node leaves to its users."""

from __future__ import annotations

from typing import Any

from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Answer a transition that the state does not have with success = false.

    rclpy (Humble to Kilted) raises in the service callback instead: the caller waits for ever and
    the executor, with it the node, ends.
    """
    service = getattr(node, "_service_change_state", None)
    if service is None:
        return
    change_state = service.callback

    def guarded(request: Any, answer: Any) -> Any:
        wanted = request.transition
        ids = {number for number, *_ in node._state_machine.available_transitions}  # noqa: SLF001
        if not wanted.label and wanted.id not in ids:
            state = node._state_machine.current_state[1]  # noqa: SLF001 - there is no public getter
            node.get_logger().warning(f"transition {wanted.id} is not possible in state {state}")
            answer.success = False
            return answer
        return change_state(request, answer)

    service.callback = guarded


def autostart(node: LifecycleNode) -> None:
    """Configure and activate where the parameter `autostart` asks for it.

    A node that cannot be configured has said why; it stays, to be configured again.
    """
    if not node.get_parameter("autostart").value:
        return
    if node.trigger_configure() is TransitionCallbackReturn.SUCCESS:
        node.trigger_activate()
