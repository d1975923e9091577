# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the training settings, from the models that check them."""

from __future__ import annotations

import inspect
import re

from pydantic import BaseModel

from evla_ros.embodiment.reference_page import default_text, sections, type_text
from evla_ros.training.config import TrainConfig
from evla_ros.training.pretrain_config import PretrainConfig

HEAD = """# Training settings

The keys of a training's YAML file, and of `key.sub=value` on the command line. An unknown key, a
value out of bounds and a setting that would have no effect are errors. How to use them:
[training](../training.md).
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for title, model in (
        ("`evla train finetune`: robots' data", TrainConfig),
        ("`evla train pretrain`: pictures with text", PretrainConfig),
    ):
        parts.append(f"## {title}")
        parts += [_table(path, section) for path, section in sections("", model)]
    return "\n\n".join(parts) + "\n"


def _table(path: str, model: type[BaseModel]) -> str:
    meanings = attributes(model)
    rows = []
    for name, field in model.model_fields.items():
        kind = type_text(name, model)
        default = "" if kind == "section" and not field.is_required() else default_text(field)
        rows.append(f"| `{name}` | {kind} | {default} | {meanings.get(name, '')} |")
    title = f"### `{path}`" if path else f"### Top level of {model.__name__}"
    summary = inspect.cleandoc(model.__doc__ or "").splitlines()[0]
    return "\n".join([title, "", summary, "", "| key | type | default | meaning |",
                      "|---|---|---|---|", *rows])  # fmt: skip


def attributes(model: type) -> dict[str, str]:
    """Return what the docstrings of a class and its bases say of each attribute."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        text = inspect.cleandoc(owner.__doc__ or "")
        section = text.partition("Attributes:\n")[2]
        for match in re.finditer(
            r"^    (\w+): ((?:.+\n?)(?:^        .+\n?)*)", section, re.MULTILINE
        ):
            found[match[1]] = " ".join(match[2].split()).replace("|", "\\|")
    return found
