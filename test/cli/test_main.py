# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The command line: what it lists, how fast it starts, and one sentence for every mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evla_ros.cli.main import COMMANDS, VERBS, main

ROOT = Path(__file__).resolve().parents[2]


def _evla(*words):
    return subprocess.run(
        [sys.executable, "-m", "evla_ros", *words], cwd=ROOT, capture_output=True, text=True
    )


def test_help_lists_every_verb_and_succeeds(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for verb, summary in COMMANDS.available().items():
        assert f"  {verb}" in text
        assert summary in text


def test_help_imports_neither_torch_nor_rclpy_nor_numpy():
    program = (
        "import sys; from evla_ros.cli.main import main; main(['--help']);"
        "print(sorted({'torch', 'rclpy', 'numpy', 'pydantic', 'mujoco'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_is_a_fraction_of_the_interpreter_and_library_imports():
    """Counted in modules, not seconds: the same on a busy machine."""
    program = (
        "import sys; from evla_ros.cli.main import main; main(['--help']); print(len(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout.splitlines()[-1]) < 160


@pytest.mark.parametrize("verb", sorted(COMMANDS.available()))
def test_every_verb_has_help_with_an_example_and_imports_nothing_heavy(verb):
    program = (
        "import sys\nfrom evla_ros.cli.main import main\n"
        f"try: main([{verb!r}, '--help'])\n"
        "except SystemExit as stop: assert stop.code == 0\n"
        "print(sorted({'torch', 'rclpy', 'mujoco', 'tensorflow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert f"evla {verb}" in done.stdout
    assert "example" in done.stdout


def test_a_listed_verb_is_in_the_table():
    assert set(COMMANDS.available()) <= set(VERBS)
    assert {"doctor", "bench"} <= set(COMMANDS.available())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["doctr"], "did you mean 'doctor'?"),
        (["--verbose"], "unknown option '--verbose'"),
        (["doctor", "--embodyment", "x"], "--embodiment"),
        (["doctor", "--listen", "long"], "--listen 'long': a number is needed"),
        (["doctor", "--embodiment", "tabletop_arn"], "did you mean 'tabletop_arm'?"),
        (["doctor", "--bags", "no/such/folder"], "no such folder"),
        (["bench", "modle"], "unknown benchmark 'modle'"),
        (["train"], "name the training: finetune, "),
        (["eval"], "name the evaluation: sim, "),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(words, sentence):
    done = _evla(*words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("error: ")
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_debug_shows_the_traceback():
    done = _evla("doctr", "--debug")
    assert done.returncode != 0
    assert "Traceback" in done.stderr


def test_a_file_that_cannot_be_made_is_named(tmp_path, capsys):
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "x"
    assert main(["train", "nano", str(folder)]) == 2
    said = capsys.readouterr().err
    assert said == f"error: cannot make the folder {str(folder)!r}: Not a directory\n"


def test_a_failed_system_call_is_named_in_plain_words(monkeypatch, capsys):
    def run(_arguments):
        raise FileNotFoundError(2, "No such file or directory", "/data/x")

    monkeypatch.setattr("evla_ros.cli.doctor.run", run)
    assert main(["doctor"]) == 1
    assert capsys.readouterr().err.startswith("error: /data/x: No such file or directory; run")


def test_no_verb_is_a_usage_error_and_version_is_printed(capsys):
    assert main([]) == 2
    assert main(["--version"]) == 0
    assert "evla_ros 0." in capsys.readouterr().out
