# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `import evla_ros` gives, and what it does not cost."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from importlib.util import find_spec

import pytest

import evla_ros

LIGHT = """
import sys
import evla_ros
assert not {"numpy", "pydantic", "torch", "rclpy"} & set(sys.modules), "import evla_ros is heavy"
from evla_ros import load_embodiment
assert not {"torch", "rclpy"} & set(sys.modules), "embodiment files need neither torch nor ROS"
print(load_embodiment("tabletop_arm").name)
"""


@pytest.mark.parametrize("name", evla_ros.__all__)
def test_every_public_name_is_there(name):
    if name == "Predictor" and find_spec("torch") is None:
        pytest.skip("torch is not installed")
    thing = getattr(evla_ros, name)
    assert thing.__name__ == name
    assert thing.__doc__
    assert name in dir(evla_ros)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Robot'"):
        _ = evla_ros.Robot


def test_importing_it_is_light(root):
    done = subprocess.run([sys.executable, "-c", LIGHT], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "tabletop_arm"


def test_it_says_that_it_is_typed():
    assert files(evla_ros).joinpath("py.typed").is_file()
