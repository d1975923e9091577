# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy server: who may ask, what is asked, in which order it is answered, and over what."""
