# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What has been recorded: episodes on the disk, their pictures, and the dataset made of them."""
