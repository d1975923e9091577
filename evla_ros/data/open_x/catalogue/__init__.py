# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The known datasets, by name; `datasets.py` one folder up joins the files."""
