# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pose of a tool from TF messages: the chain from base to tool, held causally per edge."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evla_ros.data.messages import Transform
from evla_ros.geometry.pose import Pose, compose

_LONGEST_CHAIN = 64


@dataclass(frozen=True)
class _Edge:
    parent: str
    pose: Pose
    stamp_ns: int | None  # None: static


class TfPoses:
    """Feed it /tf and /tf_static in order; it gives the tool's pose whenever its chain changes."""

    def __init__(self, base_frame: str, tool_frame: str) -> None:
        self._base = base_frame
        self._tool = tool_frame
        self._edges: dict[str, _Edge] = {}

    def push(self, transforms: Iterable[Transform], *, static: bool) -> tuple[int, Pose] | None:
        """Take one message; return (stamp, pose of the tool in the base) when it moved the chain.

        The stamp is that of the oldest moving edge: the pose is no newer than its oldest part.
        """
        changed = set()
        for transform in transforms:
            child = transform.child_frame.lstrip("/")
            parent = transform.header.frame_id.lstrip("/")
            pose = Pose(transform.translation_m, transform.quaternion_xyzw)
            stamp = None if static else transform.header.stamp_ns
            self._edges[child] = _Edge(parent, pose, stamp)
            changed.add(child)
        chain = self._chain()
        if chain is None or changed.isdisjoint(chain):
            return None
        pose = Pose.identity()
        stamps = []
        for child in chain:
            edge = self._edges[child]
            pose = compose(edge.pose, pose)
            if edge.stamp_ns is not None:
                stamps.append(edge.stamp_ns)
        return (min(stamps), pose) if stamps else None

    def _chain(self) -> list[str] | None:
        """Return the child frames from the tool up to the base, or None while one is missing."""
        chain: list[str] = []
        frame = self._tool
        while frame != self._base:
            if frame not in self._edges or len(chain) > _LONGEST_CHAIN:
                return None
            chain.append(frame)
            frame = self._edges[frame].parent
        return chain
