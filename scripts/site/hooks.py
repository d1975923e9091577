# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the site has beyond the files of `docs/`: generated reference pages, links to the source.

The address of the repository stands in one place: `<url type="repository">` of package.xml. Without
one the site has no links to files outside `docs/`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import cli_page
import columns_page
import dialect
import interfaces_page
import parameters_page
import python_page
import reasons_page
import training_page
from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]


def on_config(config: Any) -> Any:
    """Take the address of the repository from package.xml, and the lab notes from their folder."""
    (lab,) = (entry["Lab notes"] for entry in config.nav if "Lab notes" in entry)
    lab += sorted(f"lab/{path.name}" for path in (ROOT / "docs" / "lab").glob("[!R]*.md"))
    text = (ROOT / "package.xml").read_text(encoding="utf-8")
    found = re.search(r'<url type="repository">\s*(\S+?)/?\s*</url>', text)
    # Not as `repo_url`: the theme would ask the host for stars and releases on every page.
    config.extra["repository"] = found[1] if found else ""
    if found:
        config.copyright = f'<a href="{found[1]}">Source</a>, Apache-2.0'
    return config


def on_files(files: Any, config: Any) -> Any:
    """Add the pages that the code writes."""
    pages = {
        "cli": cli_page.page(),
        "parameters": parameters_page.page(),
        "training_settings": training_page.page(),
        "interfaces": interfaces_page.page(ROOT),
        "reasons": reasons_page.page(),
        "columns": columns_page.page(),
        "python": python_page.page(),
    }
    for name, text in pages.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Adapt a page to the renderer; pages that the code writes are as it wants them."""
    if page.file.generated_by:
        return markdown
    return dialect.adapted(markdown, page.file.src_uri, config.extra["repository"])
