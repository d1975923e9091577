# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla inspect`: what is in a bag or a dataset, with a contact sheet, a video or a rerun file."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from evla_ros.cli.next_command import say_next
from evla_ros.errors import EvlaError
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.data.episode import Episode
    from evla_ros.data.remote.uri import Uri
    from evla_ros.data.rlds.reader import RldsDataset

EXAMPLES = """\
examples:
  evla inspect datasets/my_robot
  evla inspect datasets/my_robot --sheet sheet.png --video train/0.mp4 --episode train/0
  evla inspect bags/episode_0003 --json
  evla inspect somebodys_bag.mcap --embodiment my_robot.yaml --sheet sheet.png
"""


@dataclass(frozen=True)
class Options:
    """What is looked at, and what is drawn of it."""

    path: Annotated[Path, Option("a rosbag2 folder or file, a dataset, or a URI", positional=True)]
    json: Annotated[bool, Option("print one JSON object")] = False
    episodes: Annotated[bool, Option("list the episodes of a dataset")] = False
    sheet: Annotated[Path | None, Option("write a contact sheet", "PNG", unset="none")] = None
    video: Annotated[Path | None, Option("write a video of one episode", "MP4", unset="none")] = (
        None
    )
    rerun: Annotated[Path | None, Option("write a rerun recording of it", "RRD", unset="none")] = (
        None
    )
    episode: Annotated[str, Option("which episode", "SPLIT/N", unset="the first")] = ""
    embodiment: Annotated[
        str, Option("embodiment file or name, for a bag", unset="the one inside the bag")
    ] = ""


def run(options: Options) -> int:
    """Describe the path, then draw what was asked for. Existing files are not overwritten."""
    from evla_ros.data.remote.uri import uri_of
    from evla_ros.data.rlds.reader import is_dataset

    for target in (options.sheet, options.video, options.rerun):
        if target is not None and target.exists():
            raise EvlaError(f"{target} exists and is not overwritten; choose another name")
    uri = uri_of(options.path)
    if uri is not None:
        return _inspect_remote(options, uri)
    if not options.path.exists():
        raise EvlaError(f"there is no {options.path}")
    if is_dataset(options.path):
        return _inspect_dataset(options)
    from evla_ros.data.bag_summary import is_bag

    if is_bag(options.path):
        return _inspect_bag(options)
    raise EvlaError(_what_it_is(options.path))


def _inspect_remote(options: Options, uri: Uri) -> int:
    """Look at a copy: a kept one of a dataset, one of a bag that is gone afterwards."""
    from evla_ros.data.remote.bags import remote_bags
    from evla_ros.data.remote.copies import kept_copy, short_copy
    from evla_ros.data.remote.store import Store
    from evla_ros.data.rlds.dataset_info import INFO_FILE

    names = [file.name for file in Store(uri).files()]
    if any(name.split("/")[-1] == INFO_FILE and name.count("/") < 2 for name in names):
        return run(replace(options, path=kept_copy(uri)))
    bags = remote_bags(uri)
    if bags != [uri]:
        raise EvlaError(f"{uri} is a folder of {len(bags)} bags: inspect one, like {bags[0]}")
    with short_copy(uri) as copy:
        return run(replace(options, path=copy))


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


def _inspect_dataset(options: Options) -> int:
    from evla_ros.data.dataset_summary import dataset_text, describe_dataset
    from evla_ros.data.rlds.reader import RldsDataset

    dataset = RldsDataset.open(options.path)
    description = describe_dataset(dataset)
    if options.json:
        print(json.dumps(description, indent=1))
    else:
        print(dataset_text(description, episodes=options.episodes))
    if options.sheet is not None:
        from evla_ros.data.view.contact_sheet import write_contact_sheet

        chosen = [_position(dataset, options.episode)] if options.episode else None
        count = write_contact_sheet(dataset, options.sheet, chosen)
        _say(options, f"wrote {options.sheet}: {count} episode{'s' * (count != 1)}")
    if options.video is not None or options.rerun is not None:
        _draw_episode(options, dataset.episode(*_position(dataset, options.episode)))
    if not options.json:
        say_next("evla", "dataset", "doctor", options.path)
    return 0


def _inspect_bag(options: Options) -> int:
    from evla_ros.data.bag_summary import bag_episode, bag_text, describe_bag, with_conversion
    from evla_ros.embodiment import load_embodiment

    robot = load_embodiment(options.embodiment).text if options.embodiment else ""
    description = with_conversion(describe_bag(options.path), options.path, robot)
    print(json.dumps(description, indent=1) if options.json else bag_text(description))
    if options.sheet is not None or options.video is not None or options.rerun is not None:
        episode = bag_episode(options.path, embodiment=robot)
        if options.sheet is not None:
            from evla_ros.data.view.contact_sheet import draw_sheet

            draw_sheet(options.path.name, [(options.path.name, episode)], options.sheet)
            _say(options, f"wrote {options.sheet}")
        _draw_episode(options, episode)
    if not options.json:
        robots = ("--embodiment", options.embodiment) if options.embodiment else ()
        say_next("evla", "convert", options.path, "--out", "datasets", *robots)
    return 0


def _draw_episode(options: Options, episode: Episode) -> None:
    if options.video is not None:
        from evla_ros.data.view.video import write_video

        frames = write_video(episode, options.video)
        _say(options, f"wrote {options.video}: {frames} frames")
    if options.rerun is not None:
        from evla_ros.data.view.rerun_export import write_rerun

        write_rerun(episode, options.rerun)
        _say(options, f"wrote {options.rerun}")


def _position(dataset: RldsDataset, text: str) -> tuple[str, int]:
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


def _say(options: Options, text: str) -> None:
    if not options.json:
        print(text)
