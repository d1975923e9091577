# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tool's pose from TF messages, through the nearest ancestor that tool and base share."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evla_ros.data.messages import Transform
from evla_ros.errors import nearest
from evla_ros.geometry.pose import GeometryError, Pose, compose, inverse

_LONGEST_CHAIN = 64


@dataclass(frozen=True)
class _Edge:
    parent: str
    pose: Pose
    stamp_ns: int | None  # None: static


class TfPoses:
    """Takes /tf and /tf_static messages in order and gives the tool's pose whenever it changes."""

    def __init__(self, base_frame: str, tool_frame: str) -> None:
        self._base = base_frame
        self._tool = tool_frame
        self._edges: dict[str, _Edge] = {}
        self.dropped = 0  # transforms that were not finite
        self.bad: dict[str, str] = {}  # by child frame, why its newest transform is of no use

    def push(self, transforms: Iterable[Transform], *, static: bool) -> tuple[int, Pose] | None:
        """Take the transforms of one message; one that is not finite is left out.

        Args:
            transforms: The content of the message.
            static: Whether it came on /tf_static.

        Returns:
            (stamp [ns], pose of the tool in the base frame) when the message changed the chain;
                None otherwise. The stamp is that of the oldest non-static transform in the chain.
        """
        changed = set()
        for transform in transforms:
            child = transform.child_frame.lstrip("/")
            parent = transform.header.frame_id.lstrip("/")
            try:
                pose = Pose(transform.translation_m, transform.quaternion_xyzw)
            except GeometryError as error:
                self.dropped += 1
                self.bad[child] = str(error)
                continue
            stamp = None if static else transform.header.stamp_ns
            self._edges[child] = _Edge(parent, pose, stamp)
            self.bad.pop(child, None)
            changed.add(child)
        chains = self._chains()
        if chains is None or changed.isdisjoint((*chains[0], *chains[1])):
            return None
        to_tool, to_base = (self._composed(chain) for chain in chains)
        edges = [self._edges[child] for chain in chains for child in chain]
        stamps = [edge.stamp_ns for edge in edges if edge.stamp_ns is not None]
        if not stamps:
            return None
        return min(stamps), compose(inverse(to_base), to_tool) if chains[1] else to_tool

    @property
    def connected(self) -> bool:
        """Whether the base and the tool are in one tree."""
        return self._chains() is not None

    def problem(self) -> str:
        """Return why there is no pose yet: which frame is missing, and which are there."""
        there = sorted({*self._edges, *(edge.parent for edge in self._edges.values())})
        if not there:
            return "no transforms came"
        for frame in (self._tool, self._base):
            if frame in self.bad:
                return f"the transform of frame {frame!r} is of no use: {self.bad[frame]}"
            if frame not in there:
                return f"no frame {frame!r} in the transforms; {nearest(frame, there)}"
        ends = [self._upwards(frame)[-1] for frame in (self._base, self._tool)]
        return (
            f"no transforms connect frame {self._tool!r}, which hangs on {ends[1]!r}, with "
            f"{self._base!r}, which hangs on {ends[0]!r}"
        )

    def _composed(self, chain: Sequence[str]) -> Pose:
        """Return the pose of the first frame of a chain in the parent of the last."""
        pose = Pose.identity()
        for child in chain:
            pose = compose(self._edges[child].pose, pose)
        return pose

    def _chains(self) -> tuple[list[str], list[str]] | None:
        """Return the frames from the tool, and from the base, up to their nearest common ancestor.

        The ancestor is in neither. None while there is no common one.
        """
        from_tool, from_base = self._upwards(self._tool), self._upwards(self._base)
        for place, frame in enumerate(from_tool):
            if frame in from_base:
                return from_tool[:place], from_base[: from_base.index(frame)]
        return None

    def _upwards(self, frame: str) -> list[str]:
        """Return a frame and its ancestors, nearest first."""
        frames = [frame]
        while frames[-1] in self._edges and len(frames) <= _LONGEST_CHAIN:
            frames.append(self._edges[frames[-1]].parent)
        return frames
