# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset push`: a dataset to the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option

EXAMPLES = """examples:
  evla dataset push datasets/my_robot somebody/my_robot --licence cc-by-4.0
  evla dataset push lerobot/my_robot somebody/my_robot --licence none --public

The token is huggingface_hub's own (`hf auth login`). A repository that is made is private."""


@dataclass(frozen=True)
class Options:
    """What is sent, and where to."""

    path: Annotated[Path, Option("an RLDS or LeRobot dataset folder", positional=True)]
    repo: Annotated[str, Option("repository, OWNER/NAME", positional=True)]
    licence: Annotated[str, Option("such as cc-by-4.0; none: without one", unset="asked for")] = ""
    public: Annotated[bool, Option("a repository that is made can be read by everybody")] = False


def run(options: Options) -> int:
    """Send it and say where it is."""
    from evla_ros.data.hub.datasets import push_dataset

    print(
        f"sent: {push_dataset(options.path, options.repo, options.licence, public=options.public)}"
    )
    print(f"next: evla dataset pull {options.repo} datasets")
    return 0
