# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Options are declared once: in the help with their defaults, one form of a list, one sentence."""

from __future__ import annotations

import importlib.util
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import pytest

from benchmarks.__main__ import COMMANDS as DEVELOPERS
from evla_ros.cli.main import COMMANDS, main
from evla_ros.cli.parser import UsageError, parse, to_argv
from evla_ros.options import Option, declared, value_of

ROOT = Path(__file__).resolve().parents[2]
HAS_SIMULATOR = importlib.util.find_spec("mujoco") is not None
COMMAND_LINES = dict([*COMMANDS.leaves(), *(DEVELOPERS.leaves() if HAS_SIMULATOR else ())])
OPTIONS = [
    (line, one) for line, module in COMMAND_LINES.items() for one in declared(module.Options)
]
LISTS = [
    (line, one)
    for line, one in OPTIONS
    if one.many and not (one.option.positional or one.option.rest or one.option.repeated)
]


def name_of(value):
    return value if isinstance(value, str) else value.name


def help_text(capsys, line):
    with pytest.raises(SystemExit) as stop:
        if line.startswith("evla "):
            main([*line.split()[1:], "--help"])
        DEVELOPERS.run([line.split()[-1], "--help"])
    assert stop.value.code == 0
    return " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("line", sorted(COMMAND_LINES))
def test_the_help_shows_every_option_with_its_text_and_default(capsys, line):
    options = list(declared(COMMAND_LINES[line].Options))
    text = help_text(capsys, line)
    assert options
    for one in options:
        assert one.name in text or one.option.metavar in text
        assert squeezed(one.option.help) in squeezed(text)
        if one.kind is bool or one.required:
            continue
        default = " ".join(map(str, one.default or ())) if one.many else one.default
        shown = one.option.unset or default
        assert shown not in ("", None), f"{one.name} does not say what happens without it"
        assert squeezed(f"(default: {shown})") in squeezed(text)


def squeezed(text):
    """Without what a line break may add or take."""
    return re.sub(r"[\s-]", "", text)


def test_no_command_declares_a_name_twice_nor_a_default_of_another_type():
    for line, module in COMMAND_LINES.items():
        options = list(declared(module.Options))
        names = [one.name for one in options]
        assert len(set(names)) == len(names), line
        for one in options:
            kind = tuple if one.many else one.kind
            assert one.required or one.option.read or isinstance(one.default, kind | None), one


@pytest.mark.parametrize(("line", "one"), LISTS, ids=name_of)
def test_every_list_is_written_with_spaces_or_by_repeating_its_name(line, one):
    """And with commas it is refused, with the words to write."""
    owner = COMMAND_LINES[line].Options
    given = [str(choice) for choice in one.choices[:2]]
    given = given or (["1", "2"] if one.kind is int else ["a", "b"])
    others = [o for o in declared(owner) if o.required and o != one]
    rest = [word for o in others if not o.option.positional for word in (o.name, "1")]
    places = [str(o.choices[0]) if o.choices else "x" for o in others if o.option.positional]
    if one.pairs:
        given = ["a", "b"]
        found = parse(owner, [*places, *rest, one.name, *given, one.name, "c", "d"], line)
        assert value_of(found, one.path) == (["a", "b"], ["c", "d"])
        return
    spaced = parse(owner, [*places, *rest, one.name, *given], line)
    repeated = parse(owner, [*places, *rest, one.name, given[0], one.name, given[1]], line)
    assert spaced == repeated
    assert value_of(spaced, one.path) == tuple(one.kind(word) for word in given)
    if one.kind is not Path and not one.option.commas:
        with pytest.raises(UsageError, match=f"with spaces: {one.name} {' '.join(given)}"):
            parse(owner, [*places, *rest, one.name, ",".join(given)], line)


@dataclass(frozen=True)
class Inner:
    depth: Annotated[float, Option("of the hole", least=0, most=10, unit="metres")] = 1.0
    secret: int = 3


@dataclass(frozen=True)
class Toy:
    target: Annotated[Path, Option("where to", positional=True)]
    words: Annotated[tuple[str, ...], Option("more", positional=True, metavar="WORD")] = ()
    sizes: Annotated[tuple[int, ...], Option("of the parts", least=1)] = (1, 2)
    mode: Annotated[Literal["fast", "slow"], Option("how")] = "fast"
    ratio: Annotated[float, Option("of the parts", above=0)] = 0.5
    film: Annotated[str | None, Option("of it", bare="", unset="none")] = None
    inner: Inner = field(default_factory=Inner)
    loud: Annotated[bool, Option("say more")] = False


def toy(*argv):
    return parse(Toy, argv, "toy")


def test_values_come_as_their_types_with_the_defaults_of_the_dataclass():
    assert toy("x") == Toy(Path("x"))
    found = toy("--sizes", "3", "--loud", "x", "--depth", "2", "a", "b=[c, d]", "--film")
    assert found == Toy(
        Path("x"), ("a", "b=[c, d]"), sizes=(3,), loud=True, inner=Inner(2.0), film=""
    )


@pytest.mark.parametrize(
    "given",
    [
        Toy(Path("x")),
        Toy(Path("a b"), ("c=d",), (4, 5), "slow", 2.0, "f", Inner(3.0), loud=True),
    ],
)
def test_options_become_the_words_that_give_them(given):
    assert toy(*to_argv(given)) == given


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        ([], "target is missing; see `toy --help`"),
        (["--sizes", "3", "4"], "(--sizes takes every word behind it: put target before it)"),
        (["x", "--sizes", "0"], "--sizes 0: at least 1"),
        (["x", "--sizes", "two"], "--sizes 'two': a whole number is needed"),
        (["x", "--sizes", "1,2"], "--sizes '1,2': a list is written with spaces: --sizes 1 2"),
        (["x", "--ratio", "0"], "--ratio 0: above 0"),
        (["x", "--ratio", "nan"], "--ratio nan: above 0"),
        (["x", "--depth", "11"], "--depth 11: 0 to 10 metres"),
        (["x", "--mode", "slw"], "--mode 'slw': did you mean 'slow'?"),
        (["x", "--mod", "slow"], "no option '--mod', did you mean '--mode'; see `toy --help`"),
        (["x", "--secret", "4"], "no option '--secret'"),
        (["x", "--ratio"], "--ratio: expected one argument"),
    ],
)
def test_a_mistake_names_the_option_the_value_and_what_is_valid(argv, sentence):
    with pytest.raises(UsageError) as error:
        toy(*argv)
    assert sentence in str(error.value)


def test_a_repeated_option_takes_one_value_each_time():
    @dataclass(frozen=True)
    class Bag:
        words: Annotated[tuple[str, ...], Option("more", positional=True)] = ()
        thing: Annotated[tuple[str, ...], Option("in it", repeated=True)] = ()

    given = Bag(("x", "y"), ("a,b", "c"))
    assert parse(Bag, ["--thing", "a,b", "x", "--thing=c", "y"], "bag") == given
    assert parse(Bag, to_argv(given), "bag") == given


def test_a_list_that_took_the_words_of_a_place_is_named(capsys):
    assert main(["convert", "--out", "x", "--allow", "frozen", "bags"]) == 2
    said = capsys.readouterr().err
    assert "bags is missing (--allow takes every word behind it: put bags before it)" in said


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["train", "collect", "x", "--families", "stack,close"], "--families stack close"),
        (
            ["eval", "sim", "--policy", "hold", "--baselines", "expert,hold"],
            "--baselines expert hold",
        ),
        (["bench", "model", "--only", "llm,step.joint"], "--only llm step.joint"),
        (["bench", "node", "--workers", "process,thread"], "--workers process thread"),
    ],
)
def test_the_old_form_of_a_list_is_refused_with_the_new_one(capsys, argv, sentence):
    assert main(argv) == 2
    assert f"a list is written with spaces: {sentence}\n" in capsys.readouterr().err


def documented():
    """Yield the whole command lines of the pages; lines with `[` are synopses."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for line in page.read_text(encoding="utf-8").replace("\\\n", " ").splitlines():
            words = line.strip().removeprefix("$ ").partition(" #")[0]
            words = words.replace("$SLURM_ARRAY_TASK_ID", "3")
            if words.startswith("evla ") and "[" not in words and "`" not in words:
                yield words


@pytest.mark.parametrize("words", sorted(set(documented())))
def test_the_command_lines_of_the_pages_are_understood(capsys, words):
    argv = shlex.split(words)
    name = next((n for n in (" ".join(argv[:3]), " ".join(argv[:2])) if n in COMMAND_LINES), None)
    if name is None or "--help" in argv:
        assert argv[1] in COMMANDS.available() or argv[1].startswith("-")
        return
    parse(COMMAND_LINES[name].Options, argv[len(name.split()) :], name)
