# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evla doctor` looks at: one file per subject, each returning findings with a fix."""
