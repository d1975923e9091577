# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The committed reference page is the one the schema generates."""

from __future__ import annotations

import re
from pathlib import Path

from evla_ros.embodiment.reference_page import reference_page
from evla_ros.embodiment.schema import Arm, Embodiment, Limits

PAGE = Path(__file__).resolve().parents[2] / "docs" / "embodiment.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text() == re.sub(r" +\n", "\n", reference_page()), (
        "run: python -m evla_ros.embodiment.reference_page > docs/embodiment.md"
    )


def test_every_key_is_on_the_page():
    text = reference_page()
    for model in (Embodiment, Arm, Limits):
        for name in model.model_fields:
            assert f"| `{name}` |" in text
