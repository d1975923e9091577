# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Embodiment files made to hurt: every verb that takes one refuses it in a sentence."""

from __future__ import annotations

import os

import pytest
from made_files import LAUGHS
from sandbox import run
from subject import evla

BAD_FILES = {
    "laughs": LAUGHS.encode(),
    "digits": b"rate_hz: " + b"9" * 5000,
    "deep": b"[" * 5000,
    "not UTF-8": b"\xff\xfe",
    "empty": b"",
    "pipe": None,
}


@pytest.mark.parametrize("name", BAD_FILES)
@pytest.mark.parametrize("verb", ["doctor", "record", "convert", "robot check"])
def test_every_verb_refuses_a_bad_embodiment_file_in_a_sentence(sound, tmp_path, verb, name):
    file = tmp_path / "robot.yaml"
    if BAD_FILES[name] is None:
        os.mkfifo(file)
    else:
        file.write_bytes(BAD_FILES[name])
    calls = {
        "doctor": ["doctor", "--embodiment", file],
        "record": ["record", "--embodiment", file, "--out", tmp_path / "out"],
        "convert": ["convert", sound, "--out", tmp_path / "out", "--embodiment", file],
        "robot check": ["robot", "check", file, "--bag", sound],
    }
    outcome = run(evla(*calls[verb]), seconds=60)
    assert outcome.ending == "refused", outcome.text
    assert str(file) in outcome.text
    assert "\n" not in outcome.text
