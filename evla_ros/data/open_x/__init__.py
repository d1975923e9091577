# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The datasets of Open X-Embodiment, as data: fields, gripper conventions, cameras, mixtures."""
