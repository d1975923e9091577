# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What runs one exported graph, whatever library it is in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class GraphRunner(Protocol):
    """A graph that is ready to run on this machine."""

    def __call__(self, inputs: Sequence[Array]) -> list[NDArray[np.float32]]:
        """Return the outputs in their order; they are valid until the next call."""


class OpensGraphs(Protocol):
    """A runtime: its library, and how a graph is opened in it."""

    def __call__(self, part: str) -> GraphRunner:
        """Return the runner of a part of the network."""
