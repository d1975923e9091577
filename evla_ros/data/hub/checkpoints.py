# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Send a checkpoint folder to the hub."""

from __future__ import annotations

from pathlib import Path

from evla_ros.data.hub.client import HubError, Repository, check_licence, check_repo
from evla_ros.embodiment import load_embodiment
from evla_ros.reading.text_files import read_json_object


def push_checkpoint(path: Path, repo: str, licence: str, *, public: bool = False) -> str:
    """Send a checkpoint folder.

    Args:
        path: The folder.
        repo: `owner/name`.
        licence: As the hub spells it; `none` for none.
        public: Whether a repository that is made now can be read by everybody.

    Returns:
        The address of the commit.

    Raises:
        HubError: It is no checkpoint, the licence is missing, or the hub cannot be written.
    """
    repository, licence = Repository(check_repo(repo), "model"), check_licence(licence)
    if not (path / "config.json").is_file():
        raise HubError(f"{path} is no checkpoint folder: it has no config.json")
    return repository.send(path, "", checkpoint_card(path, licence), public=public)


def checkpoint_card(path: Path, licence: str) -> str:
    """Return the README.md of a repository that holds a checkpoint."""
    config = read_json_object(path / "config.json", HubError)
    robot = path / "embodiment.yaml"
    lines = [
        "---",
        *([f"license: {licence}"] if licence else []),
        "pipeline_tag: robotics",
        "tags:",
        "- robotics",
        "- vla",
        "- evla",
        "---",
        "",
        f"# {path.name}",
        "",
        (
            "An EVLA policy (pictures and an instruction to end-effector actions), as a checkpoint "
            "folder of evla_ros: `evla run policy --set checkpoint=FOLDER`."
        ),
        "",
    ]
    if robot.is_file():
        body = load_embodiment(robot)
        lines += [f"Robot: `{body.name}`, {body.rate_hz:g} Hz, chunks of {body.action.chunk}.", ""]
    action = config.get("action")
    if isinstance(action, dict):
        lines += ["| action | |", "|---|---|"]
        lines += [f"| {k} | {v} |" for k, v in action.items() if isinstance(v, (str, int, float))]
        lines.append("")
    if not licence:
        lines += ["No licence is given: ask the owner before you use it.", ""]
    return "\n".join(lines)
