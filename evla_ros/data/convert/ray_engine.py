# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert bags on a Ray cluster. Its nodes share no folder: episodes come back as bytes.

A node reads a bag from its URI (or from a path that it has, too). Ray runs what a lost worker had
in work again elsewhere; a bag that kills every worker it comes to is quarantined, and the others go
on.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evla_ros.data.convert.bag_job import BagResult, convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.rlds.staging import SUFFIX
from evla_ros.errors import EvlaError, shorten

RETRIES = 2
Answer = tuple[BagResult, dict[str, bytes]]


def convert_there(bag: Path, options: ConvertOptions) -> Answer:
    """Convert one bag on a node; return the result and its staged episodes by file name."""
    with tempfile.TemporaryDirectory(prefix="evla-staging-") as folder:
        result = convert_bag(bag, options, Path(folder))
        found = sorted(Path(folder).glob(f"*{SUFFIX}"))
        return result, {path.name: path.read_bytes() for path in found}


def on_ray(
    bags: Sequence[Path], options: ConvertOptions, staging: Path, address: str | None
) -> Iterator[BagResult]:
    """Yield the result of each bag as it comes; its episodes are in the staging folder by then.

    Args:
        bags: Paths or URIs that every node reaches.
        options: How to convert.
        staging: A folder of this machine alone.
        address: The cluster to join; None starts one on this machine.

    Raises:
        EvlaError: Ray is not installed, or the cluster cannot be joined.
    """
    ray = _ray()
    ours = not ray.is_initialized()
    if ours:
        try:
            ray.init(address=address, include_dashboard=False, log_to_driver=False)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise EvlaError(f"cannot join Ray at {address}: {shorten(str(error), 200)}") from error
    try:
        remote = ray.remote(num_cpus=1, max_retries=RETRIES)(convert_there)
        todo = list(bags)
        limit = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
        running: dict[Any, Path] = {}
        while todo or running:
            while todo and len(running) < limit:
                running[remote.remote(todo[0], options)] = todo[0]
                todo.pop(0)
            done, _ = ray.wait(list(running), num_returns=1)
            for future in done:
                yield _take(ray, future, running.pop(future), staging)
    finally:
        if ours:
            ray.shutdown()


def _take(ray: Any, future: Any, bag: Path, staging: Path) -> BagResult:
    try:
        result, episodes = ray.get(future)
    except ray.exceptions.RayError as error:
        why = shorten(str(error), 200)
        reason = f"every worker that converted it was lost ({RETRIES + 1} tries): {why}"
        return BagResult(str(bag), "quarantined", reason)
    for name, data in episodes.items():
        partial = staging / f"{name}.partial"
        partial.write_bytes(data)
        partial.replace(staging / name)
    done: BagResult = result
    return done


def _ray() -> Any:
    try:
        import ray
        import ray.exceptions
    except ImportError as error:
        raise EvlaError("--engine ray needs Ray: pip install 'evla_ros[ray]'") from error
    return ray
