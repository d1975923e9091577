# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a policy is: observation in, chunk of actions out; and policies that wrap policies."""
