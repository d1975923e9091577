# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads an SROS2 policy file as `ros2 security` does: strictly, every name made absolute."""

from __future__ import annotations

from xml.etree import ElementTree as ET

# What the schema of version 0.2.0 allows: attributes and children of every element we write.
ATTRIBUTES = {
    "policy": {"version"},
    "enclaves": set(),
    "enclave": {"path"},
    "profiles": set(),
    "profile": {"ns", "node"},
    "topics": {"publish", "subscribe"},
    "services": {"reply", "request"},
    "actions": {"call", "execute"},
    "topic": set(),
    "service": set(),
    "action": set(),
}
CHILDREN = {
    "policy": {"enclaves"},
    "enclaves": {"enclave"},
    "enclave": {"profiles"},
    "profiles": {"profile"},
    "profile": {"topics", "services", "actions"},
    "topics": {"topic"},
    "services": {"service"},
    "actions": {"action"},
    "topic": set(),
    "service": set(),
    "action": set(),
}
REQUIRED = {"policy": {"version"}, "enclave": {"path"}, "profile": {"ns", "node"}}
# What an action is made of, by the rules for its server and for its client.
_ASKED = tuple(f"/_action/{part}" for part in ("send_goal", "cancel_goal", "get_result"))
_TOLD = ("/_action/feedback", "/_action/status")
_PARTS = {
    "execute": {"publish": _TOLD, "reply": _ASKED},
    "call": {"subscribe": _TOLD, "request": _ASKED},
}
RULES = ("publish", "subscribe", "reply", "request")


def problems(element):
    """Yield what the schema would refuse."""
    tag = element.tag
    if tag not in ATTRIBUTES:
        yield f"element {tag}"
        return
    if not set(element.attrib) <= ATTRIBUTES[tag] or REQUIRED.get(tag, set()) - set(element.attrib):
        yield f"attributes {element.attrib} of {tag}"
    if tag in ("topics", "services", "actions") and set(element.attrib.values()) != {"ALLOW"}:
        yield f"{element.attrib} of {tag}"
    if CHILDREN[tag] and not len(element) and tag != "profile":
        yield f"an empty {tag}"
    if not CHILDREN[tag] and not (element.text or "").strip():
        yield f"a {tag} without a name"
    for child in element:
        if child.tag not in CHILDREN[tag]:
            yield f"{child.tag} in {tag}"
        yield from problems(child)


def granted(text):
    """Return the absolute names by enclave, node and rule (publish, subscribe, reply, request)."""
    root = ET.fromstring(text)
    assert root.tag == "policy"
    assert root.get("version") == "0.2.0"
    assert not list(problems(root))
    allowed = {}
    for enclave in root.iter("enclave"):
        nodes = allowed.setdefault(enclave.get("path"), {})
        for profile in enclave.iter("profile"):
            space = profile.get("ns").rstrip("/")
            rules = nodes.setdefault(
                f"{space}/{profile.get('node')}", {rule: set() for rule in RULES}
            )
            for group in profile:
                names = {_absolute(space, profile.get("node"), x.text) for x in group}
                for rule in group.attrib:
                    for own, endings in _PARTS.get(rule, {rule: ("",)}).items():
                        rules[own] |= {name + ending for name in names for ending in endings}
    return allowed


def _absolute(space, node, name):
    if name.startswith("/"):
        return name
    return f"{space}/{node}{name[1:]}" if name.startswith("~") else f"{space}/{name}"
