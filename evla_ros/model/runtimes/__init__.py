# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What computes the network: torch, OpenVINO, ONNX Runtime; exporting to them, and choosing."""
