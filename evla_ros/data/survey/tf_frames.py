# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of /tf or /tf_static: who hangs on whom, and the messages to follow a chain with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evla_ros.data.alignment.tf_poses import TfPoses
from evla_ros.data.messages import Transform
from evla_ros.data.survey.values import PoseTrace

_KEPT = 20_000  # messages; a minute of a busy robot


@dataclass
class Edge:
    """A frame and its parent; `moves` when its transform was seen to change."""

    parent: str
    moves: bool
    first: Transform


class TfFrames:
    """Takes the messages of one TF topic."""

    def __init__(self) -> None:
        self.edges: dict[str, Edge] = {}
        self.messages: list[tuple[int, tuple[Transform, ...]]] = []

    def take(self, time_ns: int, transforms: tuple[Transform, ...]) -> None:
        """Take one message."""
        if len(self.messages) < _KEPT:
            self.messages.append((time_ns, transforms))
        for transform in transforms:
            child = transform.child_frame.lstrip("/")
            edge = self.edges.get(child)
            if edge is None:
                parent = transform.header.frame_id.lstrip("/")
                self.edges[child] = Edge(parent, False, transform)
            elif not edge.moves:
                edge.moves = _differs(edge.first, transform)


def _differs(one: Transform, other: Transform) -> bool:
    return not (
        np.allclose(one.translation_m, other.translation_m, atol=1e-4)
        and np.allclose(one.quaternion_xyzw, other.quaternion_xyzw, atol=1e-3)
    )


class TfTree:
    """All frames of a robot, moving and fixed."""

    def __init__(self, moving: TfFrames | None, fixed: TfFrames | None) -> None:
        self._moving, self._fixed = moving or TfFrames(), fixed or TfFrames()
        self.parents: dict[str, str] = {
            child: edge.parent
            for frames in (self._fixed, self._moving)
            for child, edge in frames.edges.items()
        }

    @property
    def frames(self) -> list[str]:
        """Every frame, by name."""
        return sorted({*self.parents, *self.parents.values()})

    def ancestors(self, frame: str) -> list[str]:
        """Return the frames above one, the nearest first."""
        found: list[str] = []
        while frame in self.parents and self.parents[frame] not in found:
            frame = self.parents[frame]
            found.append(frame)
        return found

    def beside(self, frame: str) -> list[str]:
        """Return the frames of the same tree that are neither above nor below one."""
        above = {frame, *self.ancestors(frame)}
        return [
            other
            for other in self.frames
            if other not in above
            and frame not in self.ancestors(other)
            and not above.isdisjoint(self.ancestors(other))
        ]

    def is_published_as_moving(self, frame: str) -> bool:
        """Return whether a frame's transform came on /tf: a joint is above it."""
        return frame in self._moving.edges

    def trace(self, base: str, tool: str) -> tuple[PoseTrace, str]:
        """Return how a tool moved in a base frame, and why not where it cannot be told."""
        reader, trace = TfPoses(base, tool), PoseTrace()
        for _, transforms in self._fixed.messages:
            reader.push(transforms, static=True)
        for _, transforms in self._moving.messages:
            found = reader.push(transforms, static=False)
            if found is not None:
                stamp_ns, pose = found
                trace.add(stamp_ns, pose.position_m, pose.quaternion_xyzw)
        return trace, "" if reader.connected else reader.problem()
