# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Send a dataset to the hub, and fetch one from it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import NamedTuple

from evla_ros.data.hub.client import HubError, Repository, check_licence, check_repo
from evla_ros.data.lerobot.layout import is_lerobot
from evla_ros.data.rlds.dataset_info import INFO_FILE
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import action_layout, parse_embodiment


class Fetched(NamedTuple):
    """What came, where it is, and whether it is a LeRobot dataset."""

    path: Path
    lerobot: bool
    unchanged: bool = False


def push_dataset(path: Path, repo: str, licence: str, *, public: bool = False) -> str:
    """Send one version of an RLDS dataset, or a LeRobot dataset.

    Args:
        path: The dataset's folder; of several versions the newest is sent, as `<version>/`.
        repo: `owner/name`.
        licence: As the hub spells it; `none` for none.
        public: Whether a repository that is made now can be read by everybody.

    Returns:
        The address of the commit.

    Raises:
        HubError: The licence is missing, or the hub cannot be written.
    """
    repository, licence = Repository(check_repo(repo), "dataset"), check_licence(licence)
    if is_lerobot(path):
        card = path / "README.md"
        text = card.read_text(encoding="utf-8") if card.is_file() else f"# {path.name}\n"
        return repository.send(path, "", _with_licence(text, licence), public=public)
    dataset = RldsDataset.open(path)
    return repository.send(
        dataset.path, dataset.path.name, dataset_card(dataset, licence), public=public
    )


def pull_dataset(repo: str, datasets: Path, revision: str | None = None) -> Fetched:
    """Fetch a dataset into a folder of datasets; nothing that is there is overwritten.

    Args:
        repo: `owner/name`.
        datasets: The folder that holds datasets.
        revision: A branch, tag or commit; None: the newest.

    Raises:
        HubError: It is not there, holds no dataset, or another one of that version is here.
    """
    repository = Repository(check_repo(repo), "dataset")
    datasets.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull.", dir=datasets) as temporary:
        folder = Path(temporary) / "repository"
        repository.fetch(folder, revision)
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        if is_lerobot(folder):
            return _placed(folder, datasets / repo.split("/")[1], lerobot=True)
        versions = sorted(folder.glob(f"**/{INFO_FILE}"))
        if not versions:
            raise HubError(f"{repository} holds neither an RLDS nor a LeRobot dataset")
        dataset = RldsDataset.open(_newest([info.parent for info in versions]))
        return _placed(dataset.path, datasets / dataset.name / _version(dataset), lerobot=False)


def dataset_card(dataset: RldsDataset, licence: str) -> str:
    """Return the README.md of a repository that holds an RLDS dataset."""
    lines = [
        "---",
        *([f"license: {licence}"] if licence else []),
        "task_categories:",
        "- robotics",
        "tags:",
        "- rlds",
        "- evla",
        "---",
        "",
        f"# {dataset.name} {dataset.path.name}",
        "",
        *([dataset.info.description, ""] if dataset.info.description else []),
        f"{sum(dataset.splits.values())} episodes ("
        + ", ".join(f"{name} {count}" for name, count in dataset.splits.items())
        + f") as an RLDS dataset in the TFDS layout, in the folder `{dataset.path.name}`.",
        "",
        *_robot(dataset),
        *_tasks(dataset),
        (
            f"Fetch it with `evla dataset pull OWNER/NAME datasets`, or read the folder with "
            f"`tfds.builder_from_directory`. `{dataset.path.name}/README.md` lists every column."
        ),
        "",
    ]
    if not licence:
        lines += ["No licence is given: ask the owner before you use it.", ""]
    return "\n".join(lines)


def _robot(dataset: RldsDataset) -> list[str]:
    text = dataset.embodiment_text
    if not text:
        return ["How it was recorded is not known: it carries no embodiment file.", ""]
    robot = parse_embodiment(text, source=str(dataset.path))
    layout = action_layout(robot)
    numbers = ", ".join(f"{n} [{u}]" for n, u in zip(layout.names, layout.units, strict=True))
    about = f" ({robot.description})" if robot.description else ""
    return [
        (
            f"Recorded on `{robot.name}`{about} at {robot.rate_hz:g} Hz, cameras "
            f"{', '.join(robot.cameras)}. Actions are {robot.action.source} end-effector deltas in "
            f"`{robot.base_frame}`: {numbers}."
        ),
        "",
    ]


def _tasks(dataset: RldsDataset, most: int = 50) -> list[str]:
    texts: dict[str, int] = {}
    for split, count in dataset.splits.items():
        for index in range(count):
            text = dataset.episode(split, index).instruction
            texts[text] = texts.get(text, 0) + 1
    common = sorted(texts.items(), key=lambda item: (-item[1], item[0]))
    lines = [f"- {text} ({count})" for text, count in common[:most]]
    more = [f"- and {len(common) - most} more"] if len(common) > most else []
    return [f"{len(common)} instructions:", "", *lines, *more, ""]


def _with_licence(card: str, licence: str) -> str:
    """Return a card that says this licence, or none."""
    lines = [line for line in card.splitlines() if not line.startswith("license:")]
    if licence and lines[:1] == ["---"]:
        lines.insert(1, f"license: {licence}")
    elif licence:
        lines = ["---", f"license: {licence}", "---", "", *lines]
    return "\n".join(lines) + "\n"


def _newest(folders: list[Path]) -> Path:
    def key(folder: Path) -> tuple[int, ...]:
        parts = folder.name.split(".")
        return tuple(int(part) for part in parts) if all(p.isdigit() for p in parts) else (-1,)

    return max(folders, key=key)


def _version(dataset: RldsDataset) -> str:
    return ".".join(map(str, dataset.info.version))


def _placed(source: Path, target: Path, *, lerobot: bool) -> Fetched:
    if target.exists():
        if _same(source, target):
            return Fetched(target, lerobot, unchanged=True)
        raise HubError(
            f"{target} exists with other content and is never overwritten; pull into another folder"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    return Fetched(target, lerobot)


def _same(mine: Path, theirs: Path) -> bool:
    names = [{p.relative_to(root): p.stat().st_size for p in root.rglob("*") if p.is_file()}
             for root in (mine, theirs)]  # fmt: skip
    return names[0] == names[1] and all(
        (mine / name).read_bytes() == (theirs / name).read_bytes() for name in names[0]
    )
