# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Meta-World: 50 tasks of a Sawyer arm (McLean et al., arXiv 2505.11289; Yu et al., 1910.10897)."""
