# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/other_formats.md: its map file is one, and its commands do what it says."""

from __future__ import annotations

import re
import shlex
import textwrap
from pathlib import Path

import pytest
import yaml

pytest.importorskip("pyarrow", reason="pip install 'evla_ros[lerobot]'")

from foreign_sets import write_robot, write_v21
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.cli.main import main
from evla_ros.data.foreign.map_file import MapFile
from evla_ros.embodiment import load_embodiment

PAGE = Path(__file__).resolve().parents[3] / "docs" / "other_formats.md"
TEXT = PAGE.read_text(encoding="utf-8")


def block(first):
    """Return the indented block of the page that begins with a line."""
    kept = []
    for line in TEXT[TEXT.index(first) :].split("\n"):
        if line and not line.startswith("    "):
            break
        kept.append(line)
    return textwrap.dedent("\n".join(kept))


def test_the_map_file_of_the_page_is_one():
    content = yaml.safe_load(block("    embodiment: their_robot.yaml"))
    MapFile.model_validate(content)
    chain = yaml.safe_load(block("        pose:\n          kinematics:"))
    content["arms"]["arm"]["pose"] = chain["pose"]
    MapFile.model_validate(content)


def test_the_commands_of_the_page(tmp_path, monkeypatch, capsys):
    robot = load_embodiment("tabletop_arm")
    write_synthetic(tmp_path / "datasets", [synthetic_episode(i, robot) for i in range(3)], robot)
    write_v21(tmp_path / "their_set")
    write_robot(tmp_path, rate_hz=10)
    (tmp_path / "robot.yaml").rename(tmp_path / "their_robot.yaml")
    (tmp_path / "their_set.yaml").write_text(block("    embodiment: their_robot.yaml"))
    monkeypatch.chdir(tmp_path)
    typed = re.findall(r"^    (evla dataset .+)$", TEXT, re.MULTILINE)
    assert len(typed) == 6
    for line in typed:
        if "--map map.yaml" in line:
            (tmp_path / "map.yaml").write_text((tmp_path / "their_set.yaml").read_text())
        words = shlex.split(line, comments=True)[1:]
        assert main(words) == 0, (line, capsys.readouterr().err)
    assert (tmp_path / "datasets/their_cups/1.0.0/dataset_info.json").is_file()
