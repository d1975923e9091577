# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla convert BAGS... --out DIR`: bags to an RLDS dataset that OpenVLA and Octo load."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evla_ros.data.convert.bag_job import BagResult
    from evla_ros.data.convert.options import ConvertOptions

EPILOG = """examples:
  evla convert recordings/ --out datasets
  evla convert a_bag another.mcap --out datasets --embodiment my_robot.yaml --jobs 4
  evla convert recordings/ --out datasets --action-source achieved --on-gap split

A killed run resumes when the same command is given again. The report, with what was kept,
dropped and why, is printed and written to DIR/<name>_conversion.json.
exit status: 0 when every bag was kept, 1 when some were not, 2 for bad input."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("bags", nargs="+", type=Path, help="bag folders, .mcap or .db3 files, or folders of them")
    add("--out", type=Path, required=True, help="folder of datasets, made if need be")
    add("--name", help="dataset name, lower_snake (default: the embodiment's name)")
    add("--embodiment", help="embodiment file or name (default: the one inside the first bag)")
    add("--instruction", default="", help="use these words instead of the recorded ones")
    add("--image-size", default="224", help="side, or HEIGHTxWIDTH (default: 224)")
    add("--time", choices=("header", "receive"), default="header", help="which stamps rule")
    add(
        "--action-source", choices=("commanded", "achieved"), help="default: as the embodiment says"
    )
    add("--on-gap", choices=("longest", "split", "reject"), default="longest")
    add("--idle", choices=("all", "ends", "keep"), default="all", help="idle steps to drop")
    add("--last-action", choices=("drop", "neutral"), default="drop")
    add("--unlabelled", choices=("success", "failure", "skip"), default="success")
    add("--min-steps", type=int, default=5, help="drop shorter episodes (default: 5)")
    add("--allow", action="append", default=[], metavar="GATE", help="do not apply a value gate")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: all cores)")
    add("--engine", choices=("local", "ray"), default="local")
    add("--ray-address", help="Ray cluster to join (default: start one on this machine)")
    add("--keep-staging", action="store_true", help="keep converted episodes for a later run")
    add("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Convert; 0 when every bag was kept, 1 when some were not."""
    import json

    from evla_ros.data.convert.engines import make_engine
    from evla_ros.data.convert.run import convert

    report = convert(
        arguments.bags,
        arguments.out,
        _options(arguments),
        name=arguments.name,
        engine=make_engine(arguments.engine, arguments.jobs, arguments.ray_address),
        progress=None if arguments.json else _Progress(),
        keep_staging=arguments.keep_staging,
    )
    if arguments.json:
        print(json.dumps(report.to_json(), indent=1))
    else:
        print(report.text())
    return 0 if len(report.with_status("kept")) == len(report.results) else 1


def _options(arguments: argparse.Namespace) -> ConvertOptions:
    from evla_ros.data.convert.options import ConvertOptions
    from evla_ros.embodiment import load_embodiment

    if arguments.embodiment:
        text = load_embodiment(arguments.embodiment).text
    else:
        text = _embedded_text(arguments.bags)
    return ConvertOptions(
        embodiment_text=text,
        image_size=parse_size(arguments.image_size),
        time=arguments.time,
        source=arguments.action_source,
        on_gap=arguments.on_gap,
        idle=arguments.idle,
        last_action=arguments.last_action,
        unlabelled=arguments.unlabelled,
        instruction=arguments.instruction,
        min_steps=max(1, arguments.min_steps),
        allow=tuple(sorted(set(arguments.allow))),
    )


def parse_size(text: str) -> tuple[int, int]:
    """Return (height, width) from `224` or `240x320`; EvlaError otherwise."""
    from evla_ros.errors import EvlaError

    parts = text.lower().split("x")
    numbers = [int(part) if part.isdigit() else 0 for part in parts]
    if len(numbers) not in (1, 2) or not all(16 <= number <= 4096 for number in numbers):
        raise EvlaError(f"--image-size {text!r}: give a side or HEIGHTxWIDTH, 16 to 4096 pixels")
    return numbers[0], numbers[-1]


def _embedded_text(paths: list[Path]) -> str:
    """Return the embodiment inside the first bag that has one, even when its storage is broken."""
    from evla_ros.data.bags.reader import find_bags, recorded_custom_data
    from evla_ros.errors import EvlaError

    refused = ""
    for path in find_bags(paths):
        try:
            text = recorded_custom_data(path).get("embodiment")
        except EvlaError as error:
            refused = refused or f" ({error})"
            continue
        if text:
            return text
    raise EvlaError(
        f"no bag carries its embodiment{refused}; name one with --embodiment NAME_OR_FILE"
    )


class _Progress:
    """One line on a terminal: bags done, rate, time left; dropped bags stay visible."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._terminal = sys.stderr.isatty()

    def __call__(self, done: int, total: int, result: BagResult) -> None:
        elapsed = max(time.monotonic() - self._start, 1e-6)
        left = (total - done) * elapsed / max(done, 1)
        name = Path(result.bag).name
        line = f"[{done}/{total}] {name} {result.status} {done / elapsed:.1f} bags/s"
        line += f", {left:.0f} s left"
        end: Any = "\r" if self._terminal and result.status == "kept" else "\n"
        if self._terminal or result.status != "kept":
            print(
                f"\x1b[2K{line}" if self._terminal else line, end=end, file=sys.stderr, flush=True
            )
