# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A server that needs no network of its own, for tests of everything around it."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from policy_server import PolicyServer

collect_ignore_glob: list[str] = []
if importlib.util.find_spec("websockets") is None:  # the extra 'serve' is not installed
    collect_ignore_glob.append("test_*.py")


@pytest.fixture(scope="module")
def server():
    with PolicyServer("circle", "--embodiment", "tabletop_arm", "--openvla-port", "0") as running:
        yield running


@pytest.fixture
def question():
    image = np.zeros((48, 64, 3), np.uint8)
    return {
        "observation/primary": image,
        "observation/wrist": image,
        "observation/state": np.zeros(8, np.float32),
        "prompt": "draw a circle",
    }
