# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Let this process, and those it starts, hold as many open files as its datasets have."""

from __future__ import annotations

import resource
from collections.abc import Sequence

from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.source import Source

_OTHERS = 256  # what else a process has open


def allow_open_files(sources: Sequence[Source]) -> None:
    """Raise the soft limit of open files where the shards of the datasets are more.

    Raises:
        TrainingDataError: The hard limit does not allow so many.
    """
    needed = _OTHERS + sum(source.shards for source in sources)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return
    if hard != resource.RLIM_INFINITY and needed > hard:
        raise TrainingDataError(
            f"the datasets are {needed - _OTHERS} files, and a process may open {hard}; raise "
            f"the limit in the shell that starts the training: ulimit -n {needed}"
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
