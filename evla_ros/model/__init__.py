# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The EVLA network: architecture, decoding, checkpoints and the preparation of its inputs."""
