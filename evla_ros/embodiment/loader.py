# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Strict loading: YAML text to Embodiment, with every problem named by its dotted path."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from evla_ros.embodiment.schema import Embodiment
from evla_ros.embodiment.streams import ANY_TYPE, Kind, streams_of
from evla_ros.errors import EvlaError, nearest, shown
from evla_ros.reading.limits import YAML_BYTES
from evla_ros.reading.text_files import TextError, read_text
from evla_ros.reading.yaml_files import parse_yaml
from evla_ros.settings_errors import problems
from evla_ros.shared_files import embodiments_folder


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
        path = embodiments_folder() / f"{name_or_path}.yaml"
    try:
        text = read_text(path, YAML_BYTES)
    except TextError as error:
        names = sorted(file.stem for file in embodiments_folder().glob("*.yaml"))
        raise EmbodimentError(
            error.source, [f"{error.problem}; {nearest(path.stem, names)}"]
        ) from error
    return parse_embodiment(text, source=shown(path))


def parse_embodiment(text: str, source: str = "embodiment") -> Embodiment:
    """Return the Embodiment of a YAML text; raises EmbodimentError listing every problem."""
    try:
        tree = parse_yaml(text, source)
    except TextError as error:
        raise EmbodimentError(source, [error.problem]) from error
    if not isinstance(tree, dict):
        raise EmbodimentError(
            source, [f"holds {type(tree).__name__}; an embodiment file is a mapping of keys"]
        )
    try:
        embodiment = Embodiment.model_validate(tree).with_text(text)
    except ValidationError as error:
        found = [str(problem) for problem in problems(error, Embodiment)]
        raise EmbodimentError(source, found) from error
    clashes = _type_clashes(embodiment) + _recorded_already(embodiment)
    if clashes:
        raise EmbodimentError(source, clashes)
    return embodiment


def _type_clashes(embodiment: Embodiment) -> list[str]:
    """Return a sentence for each topic that two streams expect different messages on."""
    found = []
    for topic, streams in streams_of(embodiment).by_topic().items():
        types = {s.type: str(s.key) for s in streams if s.type != ANY_TYPE}
        if len(types) > 1:
            named = " and ".join(f"{key} ({kind})" for kind, key in types.items())
            found.append(f"topic {topic!r} cannot carry both {named}; give each its own topic")
    return found


def _recorded_already(embodiment: Embodiment) -> list[str]:
    """Return a sentence for each entry of `record` that is another stream's topic as well.

    A column of all its numbers may be wanted beside the input; its own name says so.
    """
    streams = [s for s in streams_of(embodiment) if s.key.kind is not Kind.EXTRA]
    used = {stream.topic.lstrip("/"): str(stream.key) for stream in streams}
    found = []
    for index, one in enumerate(embodiment.record):
        stream = used.get(one.topic.lstrip("/"))
        if stream is not None and one.name is None:
            found.append(
                f"record[{index}]: {one.topic!r} is recorded already, as {stream}; take it out, or "
                "give it a `name` to have all its numbers as a column beside"
            )
    return found
