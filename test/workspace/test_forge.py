# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a code host reads: workflows call what there is, and every file names the same places."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
FORMS = sorted((GITHUB / "ISSUE_TEMPLATE").glob("*.yml"))
REPOSITORY = "https://github.com/evla-ros/evla_ros"
PLACES = re.compile(r"https://github\.com/evla-ros/[\w-]+")


def _load(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _jobs(path):
    return _load(path)["jobs"].values()


def _commands(path):
    """Return all that a workflow runs, as text."""
    return "\n".join(step["run"] for job in _jobs(path) for step in job["steps"] if "run" in step)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_jobs_on_pushes_and_pull_requests(path):
    workflow = _load(path)
    assert set(workflow[True]) == {"push", "pull_request"}  # YAML reads the key `on` as true
    assert workflow["permissions"] == {"contents": "read"}
    for job in _jobs(path):
        assert all(("uses" in step) != ("run" in step) for step in job["steps"])
        versions = [step["uses"].partition("@")[2] for step in job["steps"] if "uses" in step]
        assert all(versions)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_calls_is_there(path):
    commands = _commands(path)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    called = set(re.findall(r"\bmake ([a-z][\w-]*)", commands))
    assert called <= targets
    files = re.findall(r"\b(?:scripts|test)/[\w/.]+", commands)
    assert [name for name in files if not (ROOT / name).exists()] == []
    assert called or files


def test_a_push_in_the_middle_of_the_work_needs_no_finished_release():
    commands = "\n".join(_commands(path) for path in WORKFLOWS)
    released = re.findall(r"scripts/release\.py[^\n]*", commands)
    assert released
    assert all("--draft" in words for words in released)


def test_every_supported_python_and_distro_is_tried():
    core = _load(GITHUB / "workflows" / "core.yml")["jobs"]["core"]
    assert core["strategy"]["matrix"]["python"] == ["3.10", "3.11", "3.12", "3.13"]
    wheels = _load(GITHUB / "workflows" / "wheels.yml")["jobs"]["test"]["strategy"]["matrix"]
    for row in wheels["include"]:
        pins = ROOT / "requirements" / f"{row['distro']}-py{row['python']}.txt"
        assert pins.is_file(), "a combination that nothing pins"
    assert {row["distro"] for row in wheels["include"]} == {"jazzy", "kilted"}
    ros = _load(GITHUB / "workflows" / "ros.yml")["jobs"]["colcon"]
    assert ros["strategy"]["matrix"]["distro"] == ["humble", "jazzy", "kilted", "lyrical"]


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_an_issue_form_asks_for_something(path):
    form = _load(path)
    if path.name == "config.yml":
        assert form["contact_links"][0]["url"] == f"{REPOSITORY}/security/advisories/new"
        return
    assert form["name"]
    assert form["description"]
    names = [field["id"] for field in form["body"]]
    assert len(set(names)) == len(names) > 1


def test_every_file_names_the_same_repository():
    package = ET.parse(ROOT / "package.xml").getroot()
    urls = {url.get("type"): url.text for url in package.findall("url")}
    assert urls["repository"] == REPOSITORY
    assert urls["bugtracker"] == f"{REPOSITORY}/issues"
    assert _load(ROOT / "CITATION.cff")["repository-code"] == REPOSITORY
    pages = [*ROOT.glob("*.md"), *GITHUB.rglob("*.*"), ROOT / "pyproject.toml"]
    pages += [*(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
    named = {place for page in pages for place in PLACES.findall(page.read_text("utf-8"))}
    assert named == {REPOSITORY}


def test_a_person_can_be_reached():
    package = ET.parse(ROOT / "package.xml").getroot()
    address = package.find("maintainer").get("email")
    assert re.fullmatch(r"[\w.-]+@users\.noreply\.github\.com", address)
    security = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
    assert f"{REPOSITORY}/security/advisories/new" in security
    conduct = (ROOT / "CODE_OF_CONDUCT.md").read_text(encoding="utf-8")
    assert address in conduct


def test_the_citation_says_what_its_schema_demands():
    citation = _load(ROOT / "CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"]
    assert citation["title"] == "evla_ros"
    assert citation["authors"]
    assert citation["license"] == "Apache-2.0"
