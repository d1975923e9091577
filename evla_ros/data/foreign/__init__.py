# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets in the formats of others, read with a map file: LeRobot, HDF5, UMI zarr."""
