# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training data that only a simulator can give: counterfactual labels and where every object is."""
