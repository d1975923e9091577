# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder's folder: what was kept, how it went, relabel, and the trash."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

from evla_ros.console.errors import RefusedError
from evla_ros.console.library.clip import Clip, first_picture, read_clip
from evla_ros.data.bags.reader import is_bag, recorded_custom_data
from evla_ros.data.recording.episode_store import TRASH, EpisodeStore
from evla_ros.data.recording.open_episode import OUTCOMES
from evla_ros.errors import EvlaError
from evla_ros.reading.text_files import TextError, read_json

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,120}")
MOST_ROWS = 300
_CLIPS, _THUMBNAILS = 2, 400
_REPORTED = ("duration_s", "messages", "megabytes", "lost", "note", "complete", "converter")


class Episodes:
    """Called from several threads; nothing is ever deleted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._clips: OrderedDict[str, Clip] = OrderedDict()
        self._thumbnails: OrderedDict[str, bytes] = OrderedDict()
        self._rows: dict[str, tuple[float, dict[str, Any]]] = {}
        self._reading = threading.Lock()

    def kept(self) -> list[Path]:
        """Return the bags, the newest first."""
        if not self.folder.is_dir():
            return []
        found = [
            path
            for path in self.folder.iterdir()
            if path.is_dir() and path.name != TRASH and _NAME.fullmatch(path.name) and is_bag(path)
        ]
        return sorted(found, key=lambda path: path.name, reverse=True)

    def rows(self, recorded: str = "") -> list[dict[str, Any]]:
        """Return what is known of each episode, the newest first, without the one in progress."""
        kept = [path for path in self.kept() if path.name != recorded]
        return [self._row(path) for path in kept[:MOST_ROWS]]

    def label(self, name: str, outcome: str) -> str:
        """Change the outcome of an episode; returns what was done.

        Raises:
            RefusedError: There is no such episode or outcome, or the disk refuses.
        """
        path = self._path(name)
        if outcome not in OUTCOMES:
            raise RefusedError(f"an outcome is one of {', '.join(OUTCOMES)}, not {outcome[:40]!r}")
        try:
            EpisodeStore(self.folder).mark(path, outcome)
        except (OSError, EvlaError) as error:
            raise RefusedError(f"{name} cannot be labelled: {error}") from error
        return f"{name} is labelled {outcome}"

    def trash(self, name: str) -> str:
        """Move an episode to the trash; returns what was done.

        Raises:
            RefusedError: There is no such episode, or the disk refuses.
        """
        path = self._path(name)
        try:
            target = EpisodeStore(self.folder).discard(path)
        except OSError as error:
            raise RefusedError(f"{name} cannot be moved to the trash: {error}") from error
        self._clips.pop(name, None)
        return f"{name} is in {target.parent}"

    def thumbnail(self, name: str) -> bytes:
        """Return the first picture of an episode as JPEG; RefusedError where there is none."""
        path = self._path(name)
        with self._reading:
            if name not in self._thumbnails:
                try:
                    self._thumbnails[name] = first_picture(path)
                except EvlaError as error:
                    raise RefusedError(str(error)) from error
                while len(self._thumbnails) > _THUMBNAILS:
                    self._thumbnails.popitem(last=False)
            return self._thumbnails[name]

    def clip_times(self, name: str) -> dict[str, Any]:
        """Return the cameras of an episode with the times [s] of their pictures."""
        clip = self._clip(name)
        return {"cameras": clip.times_s, "duration_s": clip.duration_s, "note": clip.note}

    def clip_picture(self, name: str, camera: str, number: int) -> bytes:
        """Return one picture of an episode as JPEG; RefusedError where there is none."""
        pictures = self._clip(name).pictures.get(camera, [])
        if number >= len(pictures):
            raise RefusedError(f"{name} has no picture {number} of {camera[:40]!r}")
        return pictures[number]

    def _clip(self, name: str) -> Clip:
        path = self._path(name)
        with self._reading:
            if name not in self._clips:
                try:
                    self._clips[name] = read_clip(path)
                except EvlaError as error:
                    raise RefusedError(str(error)) from error
            self._clips.move_to_end(name)
            while len(self._clips) > _CLIPS:
                self._clips.popitem(last=False)
            return self._clips[name]

    def _path(self, name: str) -> Path:
        path = self.folder / name
        if not _NAME.fullmatch(name) or name == TRASH or not path.is_dir() or not is_bag(path):
            raise RefusedError(f"there is no episode {name[:60]!r} in {self.folder}")
        return path

    def _row(self, path: Path) -> dict[str, Any]:
        stamp = path.stat().st_mtime + _changed(path / "metadata.yaml") + _changed(_report(path))
        known = self._rows.get(path.name)
        if known is None or known[0] != stamp:
            known = self._rows[path.name] = (stamp, _read_row(path))
        return known[1]


def _read_row(path: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"name": path.name, "problem": ""}
    try:
        data = recorded_custom_data(path)
        row |= {key: data.get(key, "") for key in ("instruction", "outcome", "operator", "state")}
        row["interventions"] = data.get("interventions", "0")
        row |= {key: value for key, value in _reported(path).items() if key in _REPORTED}
    except EvlaError as error:
        row["problem"] = str(error)
    return row


def _reported(path: Path) -> dict[str, Any]:
    """Return the recorder's report; empty where there is none yet."""
    if not _report(path).is_file():
        return {}
    try:
        found = read_json(_report(path))
    except TextError:
        return {}
    return found if isinstance(found, dict) else {}


def _report(path: Path) -> Path:
    return path / "report.json"


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
