# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What training changes of a model: frozen parts, adapters, a new embodiment, compilation."""
