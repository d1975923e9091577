# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Start a module in several ranks on this machine, as torchrun does, and end without tracebacks.

    python -m evla_ros.training.ranks 2 evla_ros.recipes.jobs outputs/nano/jobs/finetune.json

A rank that fails has said why, and torchrun would add its own pages about it. Of one that was
killed this says so.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

from evla_ros.worker_process import ending

INTERRUPTED = 130


def command(ranks: int, module: str, arguments: Sequence[str]) -> list[str]:
    """Return what runs a module in this interpreter, in several ranks if more than one is asked."""
    start = ["-m", "evla_ros.training.ranks", str(ranks), module] if ranks > 1 else ["-m", module]
    return [sys.executable, *start, *arguments]


def main(arguments: Sequence[str]) -> int:
    """Run a module; returns 0, or what the rank that failed first ended with (signal N: 128 + N).

    Args:
        arguments: how many ranks, the module, and what it is given.
    """
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.run import parse_args, run

    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # torchrun's own choice, said in five lines
    ranks, *program = arguments
    try:
        run(parse_args(["--standalone", f"--nproc-per-node={ranks}", "-m", *program]))
    except SignalException:
        return INTERRUPTED
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:  # it could not say why
            print(f"error: rank {rank}: {ending(failure.exitcode)}", file=sys.stderr)
            return 128 - failure.exitcode
        return failure.exitcode
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
