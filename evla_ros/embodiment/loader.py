# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Strict loading: YAML text to Embodiment, with every problem named by its dotted path."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from evla_ros.embodiment.schema import Embodiment
from evla_ros.embodiment.yaml_text import read_yaml
from evla_ros.errors import EvlaError, nearest

PathKeys = tuple[int | str, ...]


class EmbodimentError(EvlaError):
    """An embodiment file that cannot be used; `problems` has one sentence per fault."""

    def __init__(self, source: str, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(f"{source}: {problem}" for problem in problems))


def load_embodiment(name_or_path: str | Path) -> Embodiment:
    """Load an embodiment by the name of a shipped file or by path.

    Raises EmbodimentError: not found, not YAML, or not the schema.
    """
    path = Path(name_or_path)
    if path.suffix not in {".yaml", ".yml"}:
        path = embodiment_folder() / f"{name_or_path}.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        names = sorted(file.stem for file in embodiment_folder().glob("*.yaml"))
        reason = getattr(error, "strerror", None) or "not UTF-8 text"
        hint = nearest(path.stem, names)
        raise EmbodimentError(str(path), [f"cannot be read ({reason}); {hint}"]) from error
    return parse_embodiment(text, source=str(path))


def parse_embodiment(text: str, source: str = "embodiment") -> Embodiment:
    """Return the Embodiment of a YAML text; raises EmbodimentError listing every problem."""
    try:
        tree = read_yaml(text)
    except yaml.YAMLError as error:
        raise EmbodimentError(source, [_yaml_problem(error)]) from error
    if not isinstance(tree, dict):
        raise EmbodimentError(
            source, [f"holds {type(tree).__name__}; an embodiment file is a mapping of keys"]
        )
    try:
        return Embodiment.model_validate(tree).with_text(text)
    except ValidationError as error:
        problems = [_problem(dict(item)) for item in error.errors(include_url=False)]
        raise EmbodimentError(source, problems) from error


def embodiment_folder() -> Path:
    """Return the folder of shipped files: the checkout's, the ROS share's or the wheel's."""
    package = Path(__file__).resolve().parent.parent
    candidates = [
        package.parent,
        *(p / "share/evla_ros" for p in package.parents),
        Path(sys.prefix) / "share/evla_ros",
    ]
    for candidate in candidates:
        folder = candidate / "config" / "embodiments"
        if folder.is_dir():
            return folder
    return candidates[0] / "config" / "embodiments"


def _yaml_problem(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    return f"{where}not valid YAML: {getattr(error, 'problem', None) or error}"


def _problem(item: dict[str, Any]) -> str:
    keys: PathKeys = tuple(key for key in item["loc"] if key != "[key]")
    path, kind, value = _dotted(keys), item["type"], item["input"]
    if kind == "extra_forbidden":
        hint = nearest(str(keys[-1]), _fields_at(keys[:-1]))
        return f"{path}: unknown key; {hint}"
    if kind == "missing":
        return f"{path}: missing; this key is required"
    message = str(item["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return f"{path}: {message}" if path else message
    if isinstance(value, dict | list):
        return f"{path}: {message[0].lower()}{message[1:]}"
    return f"{path}: {value!r} is not accepted: {message[0].lower()}{message[1:]}"


def _dotted(keys: PathKeys) -> str:
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys)
    return text.lstrip(".")


def _fields_at(keys: PathKeys) -> list[str]:
    """Return the names allowed in the section at that path."""
    model: type[BaseModel] = Embodiment
    for key in keys:
        field = model.model_fields.get(str(key))
        if field is None:
            continue  # an index into a list, or a key of a mapping: same model
        model = next((m for m in _models_in(field.annotation)), model)
    return list(model.model_fields)


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in getattr(annotation, "__args__", ()) for m in _models_in(inner)]
