# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run an EdgeVLA policy on a ROS 2 robot and close the data loop around it."""

from pkgutil import extend_path

# The generated `msg` and `srv` live in the installed overlay, this code perhaps in a checkout.
__path__ = extend_path(__path__, __name__)
__version__ = "0.1.0"
