# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several runs and their verdict: the recipe of evla-nano, the comparison, new embodiments."""
