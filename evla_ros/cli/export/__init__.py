# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla export`: a checkpoint folder from other weights, or for another runtime."""

from __future__ import annotations

from evla_ros.cli.commands import Commands

COMMANDS = Commands(
    "evla export",
    "form",
    __name__,
    {
        "weights": "published weights, or a checkpoint, as a checkpoint folder for torch",
        "openvino": "a checkpoint for OpenVINO: faster on a CPU",
        "onnx": "a checkpoint for ONNX Runtime, and for what reads ONNX files",
    },
    [
        "evla export openvla-7b-hf openvla-7b --dtype bf16",
        "evla export openvino checkpoints/tabletop_arm outputs/tabletop_openvino",
    ],
    otherwise="weights",
)
