# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset pull`: a dataset from the Hugging Face hub."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from evla_ros.options import Option

EXAMPLES = "example: evla dataset pull somebody/my_robot datasets"


@dataclass(frozen=True)
class Options:
    """What is fetched, and where to."""

    repo: Annotated[str, Option("repository, OWNER/NAME", positional=True)]
    out: Annotated[Path, Option("folder that holds datasets", positional=True)]
    revision: Annotated[str | None, Option("branch, tag or commit", unset="the newest")] = None


def run(options: Options) -> int:
    """Fetch it and say what stands on disk."""
    from evla_ros.data.hub.datasets import pull_dataset

    found = pull_dataset(options.repo, options.out, options.revision)
    kind = "LeRobot dataset" if found.lerobot else "RLDS dataset"
    print(f"{'unchanged, already there' if found.unchanged else 'wrote'}: {found.path} ({kind})")
    word = "import" if found.lerobot else "doctor"
    print(f"next: evla dataset {word} {found.path}")
    return 0
