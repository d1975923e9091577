# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Functions run in processes of their own, which end with this one; their argument goes as JSON.

A job is a file, `jobs/<name>.json`, so that it can be read, and run again by hand:

    python -m evla_ros.recipes.jobs outputs/nano/jobs/finetune.json
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.reading.text_files import read_json, read_json_object
from evla_ros.training import ranks
from evla_ros.worker_process import end_with_starter

ONE_THREAD: Mapping[str, str] = {"OMP_NUM_THREADS": "1"}
POLL_S = 5.0  # what a kill -9 loses of the time that `poll` keeps, at most
_END_S, _LOOK_S = 20.0, 0.05


@dataclass(frozen=True)
class Job:
    """A call in a process of its own.

    Attributes:
        function: a function of a module, which takes one argument with a type annotation.
        argument: a dataclass or a pydantic model that comes back from JSON as it was.
        environment: variables that are set besides those of this process.
        ranks: how many processes make the call together, started as torchrun starts them.
    """

    function: Callable[[Any], Any]
    argument: Any
    environment: Mapping[str, str] = field(default_factory=dict)
    ranks: int = 1


def run_jobs(
    jobs: Sequence[Job],
    folder: Path,
    name: str,
    poll: Callable[[], None] | None = None,
    cpu_s: list[float] | None = None,
) -> list[int]:
    """Run jobs side by side; an exception, such as Ctrl-C, ends them before it is raised.

    Args:
        jobs: what to run.
        folder: where the files of the jobs go; made when it is missing.
        name: name of these files; of several jobs each adds its number.
        poll: called every few seconds while the jobs run.
        cpu_s: takes the processor time [s] of each job that ended, in the order of the jobs.

    Returns:
        The exit code of each job.
    """
    files = [
        _write(job, folder, name if len(jobs) == 1 else f"{name}-{i}") for i, job in enumerate(jobs)
    ]
    processes = [_start(job, file) for job, file in zip(jobs, files, strict=True)]
    try:
        return [_exit_code(process, poll, cpu_s) for process in processes]
    except BaseException:  # Ctrl-C reaches the processes too; they end in their own way
        for process in processes:
            process.terminate()
        for process in processes:
            _end(process)
        raise


def answer_of(folder: Path, name: str) -> Any:
    """Return what the function of a job returned, read from JSON."""
    return read_json(_answer_file(folder / f"{name}.json"))


def read_job(file: Path) -> tuple[Callable[[Any], Any], Any]:
    """Return the function and the argument of a job's file."""
    import importlib
    import typing

    from pydantic import TypeAdapter

    content = read_json_object(file)
    module, _, name = content["function"].partition(":")
    function = getattr(importlib.import_module(module), name)
    hints = typing.get_type_hints(function)
    hints.pop("return", None)
    (kind,) = hints.values()
    return function, TypeAdapter(kind).validate_python(content["argument"])


def main(file: Path) -> int:
    """Make the call of a job's file, in the process of the job, and keep the answer.

    Returns:
        The exit code: 0 when the call returned, 2 for a user's mistake, 1 when it was interrupted.
    """
    try:
        function, argument = read_job(file)
        answer = function(argument)
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 1
    if answer is not None and os.environ.get("RANK", "0") == "0":
        _answer_file(file).write_text(json.dumps(answer) + "\n")
    return 0


def _write(job: Job, folder: Path, name: str) -> Path:
    from pydantic import TypeAdapter

    argument = TypeAdapter(type(job.argument)).dump_python(job.argument, mode="json")
    function = f"{job.function.__module__}:{job.function.__qualname__}"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}.json"
    file.write_text(json.dumps({"function": function, "argument": argument}, indent=1) + "\n")
    _answer_file(file).unlink(missing_ok=True)
    return file


def _answer_file(file: Path) -> Path:
    return file.with_suffix(".answer.json")


def _start(job: Job, file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ranks.command(job.ranks, "evla_ros.recipes.jobs", [str(file)]),
        env={**os.environ, **job.environment},
        preexec_fn=end_with_starter,  # noqa: PLW1509 - one system call, loaded beforehand
    )


def _exit_code(
    process: subprocess.Popen[bytes],
    poll: Callable[[], None] | None,
    cpu_s: list[float] | None,
) -> int:
    due = time.monotonic() + POLL_S
    while True:
        ended, status, used = os.wait4(process.pid, os.WNOHANG)
        if ended:
            process.returncode = os.waitstatus_to_exitcode(status)
            if cpu_s is not None:
                cpu_s.append(used.ru_utime + used.ru_stime)
            return process.returncode
        if poll is not None and time.monotonic() > due:
            due = time.monotonic() + POLL_S
            poll()
        time.sleep(_LOOK_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
