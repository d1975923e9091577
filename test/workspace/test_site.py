# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The site of docs/ builds without a warning, is complete, and loads nothing from elsewhere."""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip(
    "mkdocs", reason="the site's builder is not installed: `make build`, or pip install '.[docs]'"
)
pytest.importorskip("rclpy", reason="the page of parameters needs ROS 2: `make build`")
pytest.importorskip("torch", reason="the page of training settings needs torch: `make build`")

from evla_ros.cli.main import COMMANDS
from evla_ros.control.reasons import SENTENCES
from evla_ros.ros.policy.parameters import TABLE
from evla_ros.training.config import TrainConfig
from evla_ros.training.pretrain_config import PretrainConfig

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=170,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "WARNING" not in done.stderr
    return folder


def text_of(site, page):
    """Return the words of a page, without its markup."""
    return html.unescape(re.sub(r"<[^>]+>", "", (site / page).read_text(encoding="utf-8")))


def test_every_page_is_there_and_nothing_comes_from_another_host(site):
    pages = list(site.rglob("*.html"))
    written = [path for path in (ROOT / "docs").rglob("*.md") if path.name != "README.md"]
    for path in written:
        assert (site / path.relative_to(ROOT / "docs").with_suffix(".html")).is_file()
    loads = re.compile(r"<(?:script|img|iframe|source)[^>]*\ssrc=\"?(https?:)?//|<link[^>]*//")
    texts = {page.name: page.read_text(encoding="utf-8") for page in pages}
    assert not [name for name, text in texts.items() if loads.search(text)]
    assert not [name for name, text in texts.items() if "md-source" in text]  # it asks the host
    sheets = "".join(sheet.read_text(encoding="utf-8") for sheet in site.rglob("*.css"))
    assert not re.search(r"url\(['\"]?(https?:)?//|@import", sheets)
    assert "mermaid" not in "".join(p.read_text() for p in (ROOT / "docs").rglob("*.md"))


def test_the_reference_is_what_the_code_has(site):
    commands, options = text_of(site, "reference/cli.html"), set()
    for line, module in COMMANDS.leaves():
        assert line in commands
        options |= set(re.findall(r"--[a-z][\w-]+", getattr(module, "EXAMPLES", "")))
    assert not {option for option in options if option not in commands}
    parameters = text_of(site, "reference/parameters.html")
    assert all(row.name in parameters and row.description in parameters for row in TABLE)
    assert "limits.arm.max_speed_m_s" in parameters
    reasons = text_of(site, "reference/reasons.html")
    assert all(sentence in reasons for sentence in SENTENCES.values())
    settings = text_of(site, "reference/training_settings.html")
    assert all(
        name in settings for name in (*TrainConfig.model_fields, *PretrainConfig.model_fields)
    )
    interfaces = text_of(site, "reference/interfaces.html")
    for folder in ("msg", "srv", "action"):
        assert all(path.stem in interfaces for path in (ROOT / folder).iterdir())
    assert "observation/image_wrist" in text_of(site, "reference/columns.html")
    assert "RldsDataset" in text_of(site, "reference/python.html")


def test_every_training_setting_says_what_it_means(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "site"))
    from training_page import attributes

    from evla_ros.embodiment.reference_page import sections

    for top in (TrainConfig, PretrainConfig):
        for path, model in sections("", top):
            meanings = attributes(model)
            assert not [f"{path}.{key}" for key in model.model_fields if not meanings.get(key)]


@pytest.mark.parametrize(
    ("written", "repository", "shown"),
    [
        ("text:\n- a\n- b\n", "", "text:\n\n- a\n- b\n"),
        ("- a\n  more\n\n      code\n\n  end\n- b\n", "",
         "- a\n    more\n\n        code\n\n    end\n\n- b\n"),
        ("```\nx:\n- a\n[t](../x)\n```\n", "", "```\nx:\n- a\n[t](../x)\n```\n"),
        ("[a](b.md#c) [d](https://e.org)\n", "", "[a](b.md#c) [d](https://e.org)\n"),
        ("[bin/x](../bin/x)\n", "", "`bin/x`\n"),
        ("[that](../bin/x)\n", "", "that (`bin/x`)\n"),
        ("[that](../bin/x#L3)\n", "https://h/o/r", "[that](https://h/o/r/blob/main/bin/x#L3)\n"),
    ],
)  # fmt: skip
def test_pages_are_adapted_to_the_renderer(monkeypatch, written, repository, shown):
    monkeypatch.syspath_prepend(str(ROOT / "scripts" / "site"))
    from dialect import adapted

    assert adapted(written, "page.md", repository) == shown
