# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The control core as the threads of a node share it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from evla_ros.control.controller import Controller
from evla_ros.embodiment import Embodiment


@dataclass(eq=False)
class SharedCore:
    """Whoever touches the controller holds the lock; now_ns reads the node's clock."""

    embodiment: Embodiment
    controller: Controller
    now_ns: Callable[[], int]
    lock: threading.Lock = field(default_factory=threading.Lock)
