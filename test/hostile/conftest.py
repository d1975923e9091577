# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Let the tests of this folder import its modules by name; sound bags for them to spoil."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    from bag_subjects import ours

    return ours(tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    from bag_subjects import theirs
    from rosbags.rosbag2 import CompressionMode, StoragePlugin

    folder = tmp_path_factory.mktemp("sqlite")
    return theirs(folder, StoragePlugin.SQLITE3, CompressionMode.NONE)


@pytest.fixture
def bag(sound, tmp_path):
    from subject import copied

    return copied(sound, tmp_path / "bag")


@pytest.fixture
def options():
    from bag_subjects import camera_robot

    from evla_ros.data.convert.gates import GATES
    from evla_ros.data.convert.options import ConvertOptions

    return ConvertOptions(camera_robot().text, (32, 32), idle="keep", allow=tuple(GATES))
