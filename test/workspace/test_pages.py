# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The README leads to every page, and no link of a page is dead."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evla_ros.cli.main import available_verbs

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if "://" not in target]
    dead = [target for target in local if not (page.parent / target).exists()]
    assert not dead


def test_readme_links_every_page():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name for page in (ROOT / "docs").glob("*.md") if f"(docs/{page.name})" not in readme
    ]
    assert not missing


def test_readme_lists_exactly_the_verbs_there_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `evla (\w+)` \|", readme, re.MULTILINE))
    assert listed == set(available_verbs())
