# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The caps are settings, and YAML and JSON that hurt a plain parser end in a sentence."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest
from made_files import LAUGHS

from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError, nearest, shorten, shown
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.reading.limits import DEPTH, LIMITS, PIXELS, Limit
from evla_ros.reading.text_files import TextError, parse_json, read_json, read_text, regular_file
from evla_ros.reading.yaml_files import parse_yaml, read_yaml

ROOT = Path(__file__).resolve().parents[2]
BAD_YAML = {
    "twice": ("a: 1\na: 2\n", "line 2, column 1: not valid YAML: key 'a' is written twice"),
    "digits": ("a: " + "9" * 5000, "a number of 5000 digits, the limit is 300 (set EVLA_MAX_DIG"),
    "deep": ("[" * 3000, "65 levels, the limit is 64 (set EVLA_MAX_DEPTH to raise it)"),
    "no int": ("a: !!int abc", "invalid literal"),
    "no bool": ("a: !!bool abc", "abc"),
    "no date": ("a: 2020-13-45", "month"),
    "alias": ("a: &x [1]\nb: *x\n", "alias *x is not allowed here"),
    "object": ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    "null byte": ("a: \x00", "not valid YAML"),
    "written null byte": ('a: "x\\0y"', "a text holds a zero byte"),
    "surrogate": ("a: \udcff", "not valid YAML"),
    "large": ("a: " + "x" * (1 << 20), "1048579 bytes, the limit is 1048576 (set EVLA_MAX_YAML"),
}
BAD_JSON = {
    "twice": ('{"a": 1, "b": {"c": 1, "c": 2}}', "key 'c' is written twice"),
    "digits": ("[" + "9" * 5000 + "]", "a number of 5000 digits, the limit is 300"),
    "float digits": ("[0." + "9" * 5000 + "]", "a number of 5002 digits"),
    "deep": ("[" * 100 + "]" * 100, "too many levels, the limit is 64 (set EVLA_MAX_DEPTH"),
    "deeper than Python": ("[" * 200_000, "too many levels"),
    "null byte": ('{"a": "x\\u0000y"}', "a text holds a zero byte"),
    "cut": ('{"a": ', "not valid JSON"),
}


@pytest.mark.parametrize("name", BAD_YAML)
def test_bad_yaml_is_one_sentence(name):
    text, said = BAD_YAML[name]
    with pytest.raises(TextError) as refused:
        parse_yaml(text, "robot.yaml")
    assert str(refused.value).startswith("robot.yaml: ")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("name", BAD_JSON)
def test_bad_json_is_one_sentence(name):
    text, said = BAD_JSON[name]
    with pytest.raises(TextError) as refused:
        parse_json(text, "x.json")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_aliases_are_allowed_where_a_reader_says_so_but_not_a_thousand_million():
    assert parse_yaml("a: &x [1]\nb: *x\n", "t", aliases=True) == {"a": [1], "b": [1]}
    with pytest.raises(TextError, match=r"values, the limit is 200000 \(set EVLA_MAX_YAML_VALUES"):
        parse_yaml(LAUGHS, "t", aliases=True)
    with pytest.raises(TextError, match="names nothing that is finished before it"):
        parse_yaml("&a [*a]", "t", aliases=True)


def test_sound_texts_are_read_as_they_are():
    assert parse_yaml("a: [1, 2.5, yes, x, null]", "t") == {"a": [1, 2.5, True, "x", None]}
    assert parse_json('{"a": [1, -2.5e3, true, "x", null]}', "t") == {
        "a": [1, -2500, True, "x", None]
    }
    deep = "[" * 64 + "]" * 64
    assert parse_json(deep, "t") == parse_yaml(deep, "t")


def test_a_limit_is_a_setting(monkeypatch):
    assert PIXELS.value == 1 << 26
    monkeypatch.setenv("EVLA_MAX_PIXELS", "200M")
    assert PIXELS.value == 200 << 20
    monkeypatch.setenv("EVLA_MAX_DEPTH", "3")
    with pytest.raises(TextError, match="the limit is 3"):
        parse_json("[[[[1]]]]", "t")
    for wrong in ("many", "-3", "0", "1.5", "9" * 40):
        monkeypatch.setenv("EVLA_MAX_PIXELS", wrong)
        with pytest.raises(EvlaError, match="EVLA_MAX_PIXELS=.* is no whole number above 0"):
            PIXELS.check(1, "a picture")


def test_the_page_lists_every_limit():
    page = (ROOT / "docs" / "dataset.md").read_text(encoding="utf-8")
    for limit in LIMITS:
        assert f"| `{limit.variable}` | {_written(limit)} | {limit.meaning} |" in page


def _written(limit: Limit) -> str:
    for letter, power in (("G", 30), ("M", 20)):
        if limit.default % (1 << power) == 0:
            return f"{limit.default >> power}{letter}"
    return str(limit.default)


def test_what_is_no_file_is_not_read(tmp_path):
    pipe = tmp_path / "pipe.json"
    os.mkfifo(pipe)
    loop = tmp_path / "loop.json"
    loop.symlink_to("loop.json")
    zeros = tmp_path / "zeros.json"
    zeros.symlink_to("/dev/zero")
    memory = tmp_path / "memory.json"
    memory.symlink_to("/proc/self/mem")
    for path in (pipe, loop, zeros, memory, tmp_path, tmp_path / "none", tmp_path / ("n" * 300)):
        with pytest.raises(TextError, match="cannot be read"):
            read_json(path)
    assert regular_file(tmp_path) == "is a folder, not a file"
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("a: é".encode("latin-1"))
    with pytest.raises(TextError, match=r"is not UTF-8 text \(byte 3\)"):
        read_yaml(latin)
    with pytest.raises(TextError, match="4 bytes, the limit is 3"):
        read_text(latin, Limit("EVLA_MAX_NOTHING", 3, "bytes", ""))


def test_names_of_any_bytes_can_be_printed():
    name = os.fsdecode(b"episode_\xff\x1b[31m\n")
    assert shown(name) == "episode_\\xff\\x1b[31m\\n"
    assert shorten("x" * 1000, 80).count("x") < 80
    assert len(shorten("\n" * 10**6, 80)) <= 80
    assert len(nearest("x" * 10**6, ["a" * 1000] * 1000)) < 4000
    assert DEPTH.sentence(65) == "65 levels, the limit is 64 (set EVLA_MAX_DEPTH to raise it)"


HEADER = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 7), }\n"
OWN = re.compile(r"json\.loads?\(|yaml\.(safe_)?load\(|yaml\.load_all|tomllib|pickle\.load|eval\(")
# What these parse was written by this package a moment before, or by a library it calls.
ALLOWED = {
    "reading/text_files.py",
    "reading/yaml_files.py",
    "policy/process_runner.py",
    "policy/process_worker.py",
    "policy/spec.py",
    "bench/serve_process.py",
    "doctor/ros_install.py",
    "model/text_tokenizer.py",
}


def test_files_are_parsed_in_one_place():
    package = ROOT / "evla_ros"
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if OWN.search(path.read_text(encoding="utf-8").replace(".eval(", ""))
    }
    assert found == ALLOWED


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "does not begin like one"),
        (b"\x93NUMPY\x01\x00" + len(HEADER).to_bytes(2, "little") + HEADER, "greater than file"),
        (b"PK\x03\x04" + bytes(100), "does not begin like one"),
        (None, "not finite"),
    ],
)
def test_actions_to_replay_are_numbers_that_are_there(tmp_path, content, said):
    file = tmp_path / "actions.npy"
    if content is None:
        np.save(file, np.full((3, 7), np.nan))
    else:
        file.write_bytes(content)
    spec = PolicySpec("replay", load_embodiment("tabletop_arm").text, str(file))
    with pytest.raises(EvlaError, match=said) as refused:
        build_policy(spec)
    assert str(refused.value).startswith(str(file))
    for faults, told in (({"slo": {}}, "did you mean 'slow'"), ({"slow": {"x": 1}}, "'slow'")):
        with pytest.raises(EvlaError, match=told):
            build_policy(PolicySpec("hold", spec.embodiment_text, faults=faults))
