# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What goes into a policy and what comes out; both are immutable, in the embodiment's units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Observation:
    """What the robot saw at one instant.

    Attributes:
        stamp_ns: the time of the newest image, in nanoseconds of the node's clock.
        images: camera name -> [height, width, 3] uint8 RGB, any size.
        proprio: [P] float32 in the embodiment's proprio layout (empty when the file lists none).
        instruction: the task in words.
    """

    stamp_ns: int
    images: Mapping[str, npt.NDArray[np.uint8]]
    proprio: npt.NDArray[np.float32]
    instruction: str


@dataclass(frozen=True, eq=False)
class Chunk:
    """Consecutive actions, one per tick of the embodiment's `rate_hz`.

    The first action is applied at the time of the observation.

    Attributes:
        observation_stamp_ns: `stamp_ns` of the observation that the chunk answers.
        actions: [K, D] float64, K actions of D numbers in the embodiment's action layout.
        inference_ns: how long the policy took, in nanoseconds.
        network_ns: of a policy server, how much longer the robot waited than the server took.
    """

    observation_stamp_ns: int
    actions: npt.NDArray[np.float64]
    inference_ns: int = 0
    network_ns: int = 0
