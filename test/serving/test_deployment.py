# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The unit and the container file start the server with a command line that it understands."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess

import pytest

from evla_ros.cli.parser import parse
from evla_ros.serving.keys import SHIPPED, read_keys
from evla_ros.serving.options import Serving
from evla_ros.shared_files import shared_file

FOLDER = shared_file("config", "serving")


def _words_of_unit():
    text = (FOLDER / "evla-serve.service").read_text()
    return shlex.split(re.search(r"^ExecStart=(.*)$", text, re.MULTILINE)[1])


def _words_of_container():
    text = (FOLDER / "Containerfile").read_text()
    parts = re.findall(r"^(?:ENTRYPOINT|CMD) (\[.*\])$", text, re.MULTILINE)
    return [word for part in parts for word in json.loads(part)]


@pytest.mark.parametrize("words", [_words_of_unit(), _words_of_container()])
def test_the_command_line_is_understood(words):
    assert words[0].rpartition("/")[2] == "evla"
    assert words[1] == "serve"
    options = parse(Serving, words[2:], "evla serve")
    assert options.host == "0.0.0.0"
    assert options.token_file
    assert options.tls_cert
    assert options.tls_key


def test_systemd_takes_the_unit(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    text = (FOLDER / "evla-serve.service").read_text()
    unit = tmp_path / "evla-serve.service"
    unit.write_text(text.replace("/opt/evla/venv/bin/evla", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert "Unknown" not in done.stderr


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_maps_are_read(name):
    assert read_keys(name, ()).cameras
