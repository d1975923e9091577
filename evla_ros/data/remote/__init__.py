# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags and datasets in object stores: `s3://`, `gs://` and whatever else fsspec reaches.

They are copied once, whole, and read from the copy; what is written is written here and then copied
there. Credentials are fsspec's own (environment, profiles) and never looked at.
"""
