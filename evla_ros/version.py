# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The version of this installation. It is written in `package.xml`, and nowhere else."""

from __future__ import annotations

import re

from evla_ros.errors import EvlaError
from evla_ros.shared_files import shared_file

_VERSION = re.compile(r"<version>\s*(\d+\.\d+\.\d+)\s*</version>")


def version() -> str:
    """Return the version, such as `0.2.0`.

    Raises:
        EvlaError: the installation has no `package.xml`, or that one has no version.
    """
    path = shared_file("package.xml")
    try:
        found = _VERSION.search(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise EvlaError(f"{path}: {error.strerror}; install evla_ros again") from error
    if found is None:
        raise EvlaError(f"{path} has no <version> of three numbers; install evla_ros again")
    return found.group(1)
