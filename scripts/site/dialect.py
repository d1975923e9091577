# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From Markdown as forges show it to Markdown as the site's renderer reads it.

The renderer wants a blank line before a list, and four columns of indentation inside one. And a
site has no files outside `docs/`: links to those lead to the repository, where its address is
known, and are plain text where it is not.
"""

from __future__ import annotations

import posixpath
import re

_ITEM = re.compile(r"^([-*] |\d+\. )")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(([^)#\s:]+)(#[^)\s]*)?\)")


def adapted(markdown: str, page: str, repository: str) -> str:
    """Return the text of a page for the site.

    Args:
        markdown: The page as it lies in `docs/`.
        page: Its path below `docs/`.
        repository: Address of the repository; empty: not known.
    """
    lines, fenced, item, before, loose = [], False, "", "", False
    for line in markdown.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
        found = None if fenced else _ITEM.match(line)
        if found:
            if before.strip() and (loose or not item):
                lines.append("")
            item, loose = found[1], False
        elif item and line.strip() and not line.startswith(" " * 2):
            item = ""
        loose = loose or (bool(item) and not line.strip())
        inside = bool(item) and not found and bool(line.strip())
        text = " " * (4 - len(item)) + line if inside else line
        lines.append(text if fenced else _outside_links(text, page, repository))
        before = line
    return "\n".join(lines) + "\n"


def _outside_links(line: str, page: str, repository: str) -> str:
    def replaced(found: re.Match[str]) -> str:
        text, target, anchor = found[1], found[2], found[3] or ""
        path = posixpath.normpath(posixpath.join("docs", posixpath.dirname(page), target))
        if path.startswith("docs/"):
            return found[0]
        if repository:
            return f"[{text}]({repository}/blob/main/{path}{anchor})"
        return f"`{path}`" if text.strip("`") == path else f"{text} (`{path}`)"

    return _LINK.sub(replaced, line)
