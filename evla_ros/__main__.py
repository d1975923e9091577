# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m evla_ros` is `evla`."""

from __future__ import annotations

from evla_ros.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
