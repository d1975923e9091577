# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""RLDS datasets in the TFDS folder layout, written and read without TensorFlow."""
