# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the messages, services and actions, from their files."""

from __future__ import annotations

from pathlib import Path

KINDS = {"msg": "Messages", "srv": "Services", "action": "Actions"}
HEAD = """# Messages, services and actions

The interfaces that this package defines, as `ros2 interface show evla_ros/msg/PolicyStatus` prints
them. Units and frames stand in the comments. Wherever ROS 2 has a standard message, that one is
used instead: [topics of the policy node](../policy_node.md#topics).
"""


def page(root: Path) -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for folder, title in KINDS.items():
        parts.append(f"## {title}")
        for path in sorted((root / folder).glob(f"*.{folder}")):
            text = path.read_text(encoding="utf-8").strip()
            summary = text.splitlines()[0].lstrip("# ")
            parts += [f"### `evla_ros/{folder}/{path.stem}`", summary, f"```text\n{text}\n```"]
    return "\n\n".join(parts) + "\n"
