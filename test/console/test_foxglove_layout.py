# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Foxglove layout names topics, fields and services that there are."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import streams_of

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = json.loads((ROOT / "config/foxglove/evla.json").read_text(encoding="utf-8"))
STREAMS = {f"/{stream.topic}" for stream in streams_of(load_embodiment("tabletop_arm"))}
REPORTS = {"/policy/status": "PolicyStatus", "/recorder/episode_event": "EpisodeEvent"}


def texts(content):
    if isinstance(content, dict):
        for key, value in content.items():
            yield from texts(value) if key != "value" else [value]
    elif isinstance(content, list):
        for value in content:
            yield from texts(value)
    elif isinstance(content, str):
        yield content


def test_every_panel_of_the_layout_is_configured():
    placed = set(re.findall(r'"(\w+![\w]+)"', json.dumps(LAYOUT["layout"])))
    assert placed == set(LAYOUT["configById"])


@pytest.mark.parametrize(
    "path", sorted(text for text in texts(LAYOUT["configById"]) if text.startswith("/"))
)
def test_every_topic_and_service_exists(path):
    topic, _, field = path.partition(".")
    if topic in REPORTS and field:
        message = (ROOT / "msg" / f"{REPORTS[topic]}.msg").read_text(encoding="utf-8")
        assert re.search(rf"^\S+ {field}$", message, re.MULTILINE)
    elif topic not in STREAMS | set(REPORTS):
        node, service = topic.strip("/").split("/")
        source = (ROOT / "evla_ros" / "ros" / node / "node.py").read_text(encoding="utf-8")
        assert re.search(rf'"(~/)?{service}"', source), "a service of that node"
