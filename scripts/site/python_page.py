# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the Python interface: what mkdocstrings is asked to show."""

from __future__ import annotations

SECTIONS = {
    "Describe a robot": (
        "evla_ros.embodiment.load_embodiment",
        "evla_ros.embodiment.schema.Embodiment",
        "evla_ros.embodiment.action_layout",
        "evla_ros.embodiment.proprio_layout",
    ),
    "Read and write datasets": (
        "evla_ros.data.rlds.reader.RldsDataset",
        "evla_ros.data.rlds.writer.DatasetWriter",
        "evla_ros.data.episode.Episode",
    ),
    "Run a checkpoint": ("evla_ros.model.predictor.Predictor",),
    "Write a policy": (
        "evla_ros.policy.protocol.Policy",
        "evla_ros.policy.types.Observation",
        "evla_ros.policy.types.Chunk",
        "evla_ros.policy.spec.build_policy",
    ),
    "Simulate": ("evla_ros.sim.worlds.make_world",),
    "Errors": ("evla_ros.errors.EvlaError",),
}
HEAD = """# Python interface

What programs import. `from evla_ros import ...` gives `Chunk`, `Embodiment`, `Observation`,
`Policy`, `Predictor`, `RldsDataset` and `load_embodiment`, and needs neither torch nor ROS 2 before
they are used. Everything else may change between versions.
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for title, names in SECTIONS.items():
        parts += [f"## {title}", *(f"::: {name}" for name in names)]
    return "\n\n".join(parts) + "\n"
