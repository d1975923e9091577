# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who imports whom in a package: every import statement, in functions and for typing too."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

Row = tuple[str, ...]


class Import(NamedTuple):
    """One module of the package names another."""

    source: str  # dotted, without the package: "sim.world"
    target: str


def imports_of(package: Path) -> list[Import]:
    """Return every import from one module of a package to another.

    The package's face is left out: its `__init__.py` may hand on names of any ring, lazily.
    """
    files = set(package.rglob("*.py")) - {package / "__init__.py"}
    modules = {_dotted(path, package): path for path in sorted(files)}
    found = []
    for source, path in modules.items():
        for name in _named(ast.parse(path.read_text(encoding="utf-8"))):
            target = _module(name, package.name, modules)
            if target not in ("", source):
                found.append(Import(source, target))
    return found


def upward(imports: list[Import], rows: tuple[Row, ...], doors: set[tuple[str, str]]) -> list[str]:
    """Return a sentence per import to a higher ring, a neighbour of one's own row, or no ring."""
    height = {ring: number for number, row in enumerate(rows) for ring in row}
    wrong = []
    for source, target in imports:
        here, there = _ring(source), _ring(target)
        if here == there or (source, there) in doors:
            continue
        if here not in height or there not in height:
            missing = here if here not in height else there
            wrong.append(f"{source} imports {target}, but {missing!r} has no place in the rings")
        elif height[there] >= height[here]:
            wrong.append(f"{source} imports {target}, which is not below it")
    return sorted(set(wrong))


def circles(imports: list[Import]) -> list[list[str]]:
    """Return each group of modules that import one another in a circle."""
    targets: dict[str, set[str]] = {}
    for source, target in imports:
        targets.setdefault(source, set()).add(target)
        targets.setdefault(target, set())
    reached = {module: _reached(module, targets) for module in targets}
    groups = {
        tuple(sorted(other for other in reached[module] if module in reached[other]))
        for module in targets
        if module in reached[module]
    }
    return sorted(list(group) for group in groups)


def _reached(start: str, targets: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    queue = list(targets[start])
    while queue:
        module = queue.pop()
        if module not in seen:
            seen.add(module)
            queue += targets[module]
    return seen


def _ring(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def _dotted(path: Path, package: Path) -> str:
    return ".".join(path.relative_to(package).with_suffix("").parts).removesuffix(".__init__")


def _module(name: str, package: str, modules: Mapping[str, Path]) -> str:
    """Return the module that a dotted name is, or is in; "" when it is none of the package's."""
    head, _, rest = name.partition(".")
    if head != package or not rest:
        return ""
    while rest and rest not in modules:
        rest = rest.rpartition(".")[0]
    return rest


def _named(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
