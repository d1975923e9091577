# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What rosbag2's parser of metadata.yaml asks for, written down from its source, by version.

Source: `rosbag2_storage/include/rosbag2_storage/yaml.hpp` and `src/rosbag2_storage/qos.cpp`; in
Humble `metadata_io.cpp` and `rosbag2_transport/src/rosbag2_transport/qos.cpp`. A reader asks for
what the file's version promises, as far as it knows: Humble up to 5, Iron 7, Jazzy 9 (as rolling of
October 2024, the newest source that was read).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

TEXT, NUMBER, SIGNED, FLAG = "text", "number", "signed", "flag"
TIME = {"sec": NUMBER, "nsec": NUMBER}
QOS = {
    "history": SIGNED,
    "depth": SIGNED,
    "reliability": SIGNED,
    "durability": SIGNED,
    "deadline": TIME,
    "lifespan": TIME,
    "liveliness": SIGNED,
    "liveliness_lease_duration": TIME,
    "avoid_ros_namespace_conventions": FLAG,
}
SPAN = {
    "duration": {"nanoseconds": NUMBER},
    "starting_time": {"nanoseconds_since_epoch": NUMBER},
    "message_count": NUMBER,
}
TOPIC = {
    "message_count": NUMBER,
    "topic_metadata": {
        "name": TEXT,
        "type": TEXT,
        "serialization_format": TEXT,
        "offered_qos_profiles": TEXT,  # since 4; a sequence since 9, which Humble and Iron refuse
        "type_description_hash": TEXT,  # since 7
    },
}
BAG = {
    **SPAN,
    "version": SIGNED,
    "storage_identifier": TEXT,
    "topics_with_message_count": [TOPIC],
    "relative_file_paths": [TEXT],
    "compression_format": TEXT,  # since 3
    "compression_mode": TEXT,
    "files": [{**SPAN, "path": TEXT}],  # since 5
    "custom_data": {},  # since 6: any text to any text
    "ros_distro": TEXT,  # since 8
}
SIGNS = {NUMBER: (0, 2**64), SIGNED: (-(2**31), 2**31)}


def problems(folder: Path) -> list[str]:
    """Return why rosbag2 of some distro would refuse the metadata of a bag; [] when none would."""
    root = yaml.compose((folder / "metadata.yaml").read_text(encoding="utf-8"))
    found = _check(root, {"rosbag2_bagfile_information": BAG}, "")
    if found:
        return found
    bag = yaml.safe_load((folder / "metadata.yaml").read_text(encoding="utf-8"))
    bag = bag["rosbag2_bagfile_information"]
    found += [] if bag["version"] == 8 else [f"version {bag['version']} is not read by Humble"]
    for name in bag["relative_file_paths"]:
        found += [] if (folder / name).is_file() else [f"{name} does not exist"]
    for entry in bag["topics_with_message_count"]:
        topic = entry["topic_metadata"]
        if topic["offered_qos_profiles"]:
            profiles = yaml.compose(topic["offered_qos_profiles"])
            found += _check(profiles, [QOS], f"{topic['name']}.offered_qos_profiles")
    return found


def _check(node: yaml.Node | None, rule: Any, where: str) -> list[str]:
    if isinstance(rule, list):
        if not isinstance(node, yaml.SequenceNode):
            return [f"{where} is no sequence"]
        items = enumerate(node.value)
        return [p for i, item in items for p in _check(item, rule[0], f"{where}[{i}]")]
    if isinstance(rule, dict):
        if not isinstance(node, yaml.MappingNode):
            return [f"{where} is no mapping"]
        fields = {key.value: value for key, value in node.value}
        asked = rule or dict.fromkeys(fields, TEXT)
        return [p for k, r in asked.items() for p in _check(fields.get(k), r, f"{where}.{k}")]
    return _check_scalar(node, rule, where)


def _check_scalar(node: yaml.Node | None, rule: str, where: str) -> list[str]:
    """`as<std::string>` takes every scalar but null; the others what yaml-cpp can convert."""
    if not isinstance(node, yaml.ScalarNode) or node.tag == "tag:yaml.org,2002:null":
        return [f"{where} is missing, or no scalar"]
    if rule == FLAG and node.value not in ("true", "false"):
        return [f"{where} is no flag: {node.value!r}"]
    if rule in SIGNS:
        low, high = SIGNS[rule]
        if not node.value.lstrip("-").isdigit() or not low <= int(node.value) < high:
            return [f"{where} is no number in range: {node.value!r}"]
    return []
