# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pages are true to the repository: the links, files, modules and verbs they name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evla_ros.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text)
    local = [target for target in targets if "://" not in target]
    dead = [target for target in local if not (page.parent / target).exists()]
    assert not dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_into_a_page_meet_a_heading(page):
    links = re.findall(r"\]\(([^)#\s]*)#([^)\s]+)\)", page.read_text(encoding="utf-8"))
    dead = [
        f"{target}#{anchor}"
        for target, anchor in links
        if "://" not in target and anchor not in _anchors(page.parent / target if target else page)
    ]
    assert not dead


def _anchors(page):
    """Return the names by which the headings of a Markdown page are linked."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.parent.name != "lab"],  # old measurements keep old names
    ids=lambda page: str(page.relative_to(ROOT)),
)
def test_files_and_modules_that_a_page_names_exist(page):
    text = page.read_text(encoding="utf-8")
    files = re.findall(rf"(?<![\w./-])((?:{_FOLDERS})/[\w/.-]*\w)", text)
    missing = [name for name in files if not _is_there(name)]
    modules = re.findall(r"(?<![\w./-])evla_ros(?:\.\w+)+", text)
    missing += [name for name in modules if not _is_importable(name)]
    assert not missing


_FOLDERS = "evla_ros|benchmarks|bin|checkpoints|config|examples|launch|scripts|test"
_INTERFACES = {
    path.stem for folder in ("msg", "srv", "action") for path in (ROOT / folder).iterdir()
}


def _is_there(name):
    """Whether a path of the repository exists; `evla_ros/PolicyStatus` is a ROS type, no path."""
    return (ROOT / name).exists() or name.split("/")[-1] in _INTERFACES


def _is_importable(name):
    """Whether a dotted name is a module, or something directly in one; `evla_ros.msg` is built."""
    path = ROOT.joinpath(*name.split("."))
    if (
        name.split(".")[1] in {"msg", "srv", "action"}
        or path.is_dir()
        or path.with_suffix(".py").is_file()
    ):
        return True
    module = next(
        (
            file
            for file in (path.parent.with_suffix(".py"), path.parent / "__init__.py")
            if file.is_file()
        ),
        None,
    )
    return module is not None and re.search(rf"\b{path.name}\b", module.read_text(encoding="utf-8"))


def test_the_first_pages_link_every_page():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    home = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    lab = (ROOT / "docs" / "lab" / "README.md").read_text(encoding="utf-8")
    missing = [
        page.name
        for page in (ROOT / "docs").glob("*.md")
        if f"(docs/{page.name})" not in readme
        and f"({page.name})" not in home
        and page.name != "README.md"
    ]
    missing += [
        page.name
        for page in (ROOT / "docs" / "lab").glob("*.md")
        if page.name != "README.md" and f"({page.name})" not in lab
    ]
    assert not missing


def test_readme_lists_exactly_the_verbs_there_are():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\| `evla (\w+)` \|", readme, re.MULTILINE))
    assert listed == set(COMMANDS.available())
