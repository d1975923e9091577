# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla inspect`: what is in a bag or a dataset, with a contact sheet, a video or a rerun file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from evla_ros.errors import EvlaError

if TYPE_CHECKING:
    from evla_ros.data.episode import Episode
    from evla_ros.data.rlds.reader import RldsDataset

EXAMPLES = """\
examples:
  evla inspect datasets/my_robot
  evla inspect datasets/my_robot --sheet sheet.png --video train/0.mp4 --episode train/0
  evla inspect bags/episode_0003 --json
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("path", type=Path, help="a rosbag2 folder or file, or a dataset folder")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--episodes", action="store_true", help="list the episodes of a dataset")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="write a contact sheet")
    parser.add_argument("--video", type=Path, metavar="MP4", help="write a video of one episode")
    parser.add_argument("--rerun", type=Path, metavar="RRD", help="write a rerun recording of it")
    parser.add_argument(
        "--episode", metavar="SPLIT/N", default="", help="which episode (default: the first)"
    )
    parser.epilog = EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Describe the path, then draw what was asked for. Existing files are not overwritten."""
    from evla_ros.data.rlds.reader import is_dataset

    for target in (arguments.sheet, arguments.video, arguments.rerun):
        if target is not None and target.exists():
            raise EvlaError(f"{target} exists and is not overwritten; choose another name")
    if not arguments.path.exists():
        raise EvlaError(f"there is no {arguments.path}")
    if is_dataset(arguments.path):
        return _inspect_dataset(arguments)
    from evla_ros.data.bag_summary import is_bag

    if is_bag(arguments.path):
        return _inspect_bag(arguments)
    raise EvlaError(_what_it_is(arguments.path))


def _what_it_is(path: Path) -> str:
    """Say what a path that is neither bag nor dataset holds instead."""
    from evla_ros.data.bags.reader import find_bags
    from evla_ros.data.rlds.reader import is_dataset

    below = sorted(child for child in path.iterdir() if is_dataset(child)) if path.is_dir() else []
    if below:
        return f"{path} is a folder of datasets: inspect {', '.join(map(str, below[:5]))}"
    try:
        bags = find_bags([path])
    except EvlaError:
        return f"{path} is neither a bag nor an RLDS dataset, nor a folder of them"
    return f"{path} is a folder of {len(bags)} bags: inspect one of them, like {bags[0]}"


def _inspect_dataset(arguments: argparse.Namespace) -> int:
    from evla_ros.data.dataset_summary import dataset_text, describe_dataset
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(arguments.path)
    description = describe_dataset(dataset)
    if arguments.json:
        print(json.dumps(description, indent=1))
    else:
        print(dataset_text(description, episodes=arguments.episodes))
    if arguments.sheet is not None:
        from evla_ros.data.view.contact_sheet import write_contact_sheet

        chosen = [_place(dataset, arguments.episode)] if arguments.episode else None
        count = write_contact_sheet(dataset, arguments.sheet, chosen)
        _say(arguments, f"wrote {arguments.sheet}: {count} episode{'s' * (count != 1)}")
    if arguments.video is not None or arguments.rerun is not None:
        _draw_episode(arguments, dataset.episode(*_place(dataset, arguments.episode)))
    return 0


def _inspect_bag(arguments: argparse.Namespace) -> int:
    from evla_ros.data.bag_summary import bag_episode, bag_text, describe_bag

    description = describe_bag(arguments.path)
    print(json.dumps(description, indent=1) if arguments.json else bag_text(description))
    if arguments.sheet is not None or arguments.video is not None or arguments.rerun is not None:
        episode = bag_episode(arguments.path)
        if arguments.sheet is not None:
            from evla_ros.data.view.contact_sheet import draw_sheet

            draw_sheet(arguments.path.name, [(arguments.path.name, episode)], arguments.sheet)
            _say(arguments, f"wrote {arguments.sheet}")
        _draw_episode(arguments, episode)
    return 0


def _draw_episode(arguments: argparse.Namespace, episode: Episode) -> None:
    if arguments.video is not None:
        from evla_ros.data.view.video import write_video

        frames = write_video(episode, arguments.video)
        _say(arguments, f"wrote {arguments.video}: {frames} frames")
    if arguments.rerun is not None:
        from evla_ros.data.view.rerun_export import write_rerun

        write_rerun(episode, arguments.rerun)
        _say(arguments, f"wrote {arguments.rerun}")


def _place(dataset: RldsDataset, text: str) -> tuple[str, int]:
    """Parse `split/index`; the first episode when empty."""
    splits = {name: count for name, count in dataset.splits.items() if count}
    if not splits:
        raise EvlaError(f"dataset {dataset.name!r} has no episodes")
    if not text:
        return next(iter(splits)), 0
    split, _, number = text.rpartition("/")
    if split not in splits or not number.isdigit() or int(number) >= splits[split]:
        valid = ", ".join(f"{name}/0 .. {name}/{count - 1}" for name, count in splits.items())
        raise EvlaError(f"no episode {text!r} in {dataset.name!r}; there are {valid}")
    return split, int(number)


def _say(arguments: argparse.Namespace, text: str) -> None:
    if not arguments.json:
        print(text)
