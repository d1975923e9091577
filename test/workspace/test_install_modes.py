# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""colcon installs copies or links of the files, and either works without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
sys.path = [p for p in sys.path if p not in ("", {root!r})]
import evla_ros, evla_ros.msg, evla_ros.srv, evla_ros.cli.main
assert evla_ros.__version__, "the generated, empty __init__ won"
assert not evla_ros.__file__.startswith({root!r} + "/evla_ros"), evla_ros.__file__
assert evla_ros.msg.PolicyStatus.REASON_ESTOP
from evla_ros.embodiment import load_embodiment
print(load_embodiment("tabletop_arm").name)
"""


@pytest.fixture(scope="module")
def build_folder(tmp_path_factory):
    """Share the compiled code: only the installation differs."""
    return tmp_path_factory.mktemp("build")


@pytest.mark.parametrize("links", [False, True], ids=["copied", "linked"])
@pytest.mark.timeout(600)
def test_installed_package_works_without_the_checkout(links, build_folder, tmp_path):
    if shutil.which("colcon") is None or "AMENT_PREFIX_PATH" not in os.environ:
        pytest.skip("no ROS 2 build tools in this shell: `make build` and `. ./env.sh`")
    install = tmp_path / "install"
    # Its folder cannot become a link, nor the other way round; all that was compiled stays.
    shutil.rmtree(build_folder / "evla_ros" / "ament_cmake_python", ignore_errors=True)
    command = ["colcon", "--log-base", str(tmp_path / "log"), "build", "--base-paths", str(ROOT)]
    command += ["--build-base", str(build_folder), "--install-base", str(install)]
    command += ["--merge-install", *(["--symlink-install"] if links else [])]
    command += ["--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

    site = next(install.glob("**/*-packages"))
    assert (site / "evla_ros" / "errors.py").is_symlink() == links
    libraries = f"{install / 'lib'}:{os.environ.get('LD_LIBRARY_PATH', '')}"
    others = [
        entry
        for entry in os.environ.get("PYTHONPATH", "").split(":")
        if entry and not (Path(entry) / "evla_ros").exists()
    ]
    python_path = ":".join([str(site), *others])
    environment = {**os.environ, "PYTHONPATH": python_path, "LD_LIBRARY_PATH": libraries}
    program = PROGRAM.format(root=str(ROOT))
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "tabletop_arm"
    share = install / "share" / "evla_ros"
    for folder in ("launch", "config"):
        wanted = {
            str(path.relative_to(ROOT))
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        found = {str(path.relative_to(share)) for path in (share / folder).rglob("*")}
        assert wanted <= found, f"not installed: {sorted(wanted - found)}"
    executables = {path.name for path in (install / "lib" / "evla_ros").iterdir()}
    assert executables >= {path.name for path in (ROOT / "bin").iterdir()}
