# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pieces of embodiment files on the pages about robots load when the rest is filled in."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import pytest
import yaml

from evla_ros.embodiment import load_embodiment, parse_embodiment

PAGES = Path(__file__).resolve().parents[2] / "docs" / "robots"
WHOLE = yaml.safe_load(load_embodiment("tabletop_arm").text)
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in sorted(PAGES.glob("*.md"))
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL))
    if "ros__parameters" not in block
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_block_is_a_part_of_a_file(block):
    piece = yaml.safe_load(block)
    filled = {**WHOLE, **piece}
    limits = WHOLE["arms"][0]["limits"]
    filled["arms"] = [{"limits": limits, **arm} for arm in piece.get("arms", WHOLE["arms"])]
    robot = parse_embodiment(json.dumps(filled))
    assert all(arm.goal.topic for arm in robot.arms)


def test_there_is_a_block_for_each_kind_of_robot():
    assert len(BLOCKS) >= 5


def test_the_program_of_a_bridge_can_be_read():
    (program,) = re.findall(r"```python\n(.*?)```", (PAGES / "bridging.md").read_text(), re.DOTALL)
    ast.parse(program)


def test_the_index_links_every_page():
    index = (PAGES / "README.md").read_text()
    assert [
        p.name for p in PAGES.glob("*.md") if p.name != "README.md" and p.name not in index
    ] == []
