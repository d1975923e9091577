# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder node: raw messages of the embodiment's topics into one bag per episode."""
