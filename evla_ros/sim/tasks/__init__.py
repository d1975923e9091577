# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Language tasks: a small grammar, success predicates and the scenes that they talk about."""
