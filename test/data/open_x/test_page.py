# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of the page is that of the catalogue."""

from __future__ import annotations

from pathlib import Path

from evla_ros.data.open_x.table import dataset_table


def test_the_page_has_the_table():
    page = (Path(__file__).parents[3] / "docs" / "open_x.md").read_text()
    assert dataset_table() in page, (
        "docs/open_x.md is not up to date; put the output of `python -m "
        "evla_ros.data.open_x.table` at its end"
    )
