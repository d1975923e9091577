# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of a dataset for people: contact sheet, video, coverage plots, rerun recording."""
