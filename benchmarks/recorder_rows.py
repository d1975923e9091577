# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder node against a publishing process: what it loses, and what it costs of a core."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from evla_ros.bench.report import Row
from evla_ros.errors import EvlaError
from evla_ros.shared_files import large_images_profile

CAMERA_BYTES = 640 * 480 * 3
RAMP_HZ = (40.0, 60.0, 80.0)
PROFILES = {"default": None, "large_images": large_images_profile()}


class Measured(NamedTuple):
    """One recording: MB/s of pictures, messages kept and lost, share of a core, peak memory.

    Lost in the queue for the disk, and in the transport before the recorder saw them.
    """

    rate_mb_s: float
    messages: int
    lost_queue: int
    lost_transport: int
    largest_gap_s: float
    core: float
    peak_mib: float

    @property
    def lost(self) -> int:
        """Messages that are not in the bag."""
        return self.lost_queue + self.lost_transport


def rows(seconds: float, profiles: Sequence[str], hz: float = 30.0) -> Iterator[Row]:
    """Yield cost and loss at 55 MB/s (two cameras at 30 Hz), per Fast DDS profile."""
    for label in profiles:
        one = record(hz, seconds, PROFILES[label])
        what: dict[str, Any] = {"dds": label, "cameras": f"2x640x480@{hz:.0f}", "seconds": seconds}
        what |= {"messages": one.messages, "rate": f"{one.rate_mb_s:.1f} MB/s"}
        what |= {"queue": one.lost_queue, "transport": one.lost_transport}
        what |= {"largest_gap_s": round(one.largest_gap_s, 2)}
        yield Row("data.recorder.core", one.core, "core", None, 0.35, what)
        yield Row("data.recorder.lost", float(one.lost), "messages", 0.0, 0.0, what)
        yield Row("data.recorder.peak_memory", one.peak_mib, "MiB", None, 1200.0, what)


def ramp(
    seconds: float, profiles: Sequence[str], steps_hz: Sequence[float] = RAMP_HZ
) -> Iterator[Row]:
    """Yield the highest rate without loss; the publisher shares the machine and has its limit."""
    for label in profiles:
        best, core, lost_at = 0.0, 0.0, "none"
        for hz in steps_hz:
            tried = record(hz, seconds, PROFILES[label])
            if tried.lost:
                lost_at = f"{tried.rate_mb_s:.0f} MB/s"
                break
            if tried.rate_mb_s > best:
                best, core = tried.rate_mb_s, tried.core
        what = {"dds": label, "core": round(core, 2), "lost_at": lost_at, "seconds": seconds}
        yield Row("data.recorder.highest_rate", best, "MB/s", None, 90.0, what)


def record(hz: float, seconds: float, profile: Path | None) -> Measured:
    """Record for some seconds in processes of their own and return what happened."""
    import psutil

    environment = _environment(profile)
    with tempfile.TemporaryDirectory(prefix="evla_bench_") as name:
        recorder = _start_recorder(Path(name), environment)
        publisher = _start_publisher(hz, environment)
        try:
            _call("start", environment)
            process = psutil.Process(recorder.pid)
            before = sum(process.cpu_times()[:2])
            started = time.monotonic()
            time.sleep(seconds)
            core = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - started)
            peak = peak_mib(recorder.pid)
            _call("keep", environment)
            publisher.communicate(timeout=60)
        finally:
            recorder.terminate()
            publisher.kill()
            recorder.wait(30)
        report = json.loads(next(Path(name).glob("*/report.json")).read_text())
    return _measured(report, core, peak)


def _measured(report: Mapping[str, Any], core: float, peak: float) -> Measured:
    topics = report["topics"]
    rate = sum(topic["rate_hz"] for topic in topics if "image" in topic["name"])
    return Measured(
        rate * CAMERA_BYTES / 1e6,
        report["messages"],
        sum(topic["lost_queue"] for topic in topics),
        sum(topic["lost_transport"] for topic in topics),
        max(topic["largest_gap_s"] for topic in topics if topic["rate_hz"] > 1.0),
        core,
        peak,
    )


def peak_mib(pid: int) -> float:
    """Return the most memory that a process had resident so far."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _environment(profile: Path | None) -> dict[str, str]:
    environment = dict(os.environ)
    environment.setdefault("ROS_DOMAIN_ID", str(random.randint(50, 69)))
    if profile is not None:
        environment["FASTRTPS_DEFAULT_PROFILES_FILE"] = str(profile)
        environment["FASTDDS_DEFAULT_PROFILES_FILE"] = str(profile)
    return environment


def _start_recorder(output: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "evla_ros.ros.recorder.main", "--ros-args"]
    for item in (f"output:={output}", "min_minutes:=0.0", "preroll_s:=0.0", "min_free_gib:=0.2"):
        command += ["-p", item]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=environment, text=True, stdout=quiet, stderr=quiet)


def _start_publisher(hz: float, environment: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "benchmarks.camera_publisher", "--hz", str(hz)]
    pipe = subprocess.PIPE  # closing its stdin ends it
    return subprocess.Popen(command, env=environment, text=True, stdin=pipe)


def _call(service: str, environment: dict[str, str]) -> None:
    script = _CALL.format(service=service)
    argv = [sys.executable, "-c", script]
    ran = subprocess.run(
        argv, env=environment, check=False, timeout=90, capture_output=True, text=True
    )
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        raise EvlaError(f"the recorder's service {service!r} failed: {last}")


_CALL = """
import time, rclpy
from std_srvs.srv import Trigger
rclpy.init()
node = rclpy.create_node("caller")
client = node.create_client(Trigger, "recorder/{service}")
assert client.wait_for_service(30.0)
deadline = time.monotonic() + 15
while True:
    future = client.call_async(Trigger.Request())
    rclpy.spin_until_future_complete(node, future, timeout_sec=20.0)
    answer = future.result()
    if answer.success or time.monotonic() > deadline:
        break
    time.sleep(0.3)
assert answer.success, answer.message
"""
