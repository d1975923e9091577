# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The clocks of a recording: which streams share one, how it runs, and where it was set."""
