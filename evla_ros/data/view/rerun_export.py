# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One episode as a rerun recording (.rrd): pictures, positions, actions and the instruction."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from evla_ros.data.episode import Episode
from evla_ros.data.view.video import DEFAULT_RATE_HZ, episode_rate
from evla_ros.errors import EvlaError


def write_rerun(episode: Episode, path: Path) -> None:
    """Write one episode as a rerun recording; pictures stay JPEG.

    Args:
        episode: The episode.
        path: The file to write, `.rrd`; its folder is made.

    Raises:
        EvlaError: The package rerun-sdk is not installed.
    """
    rerun = _rerun()
    rate = episode_rate(episode) or DEFAULT_RATE_HZ
    path.parent.mkdir(parents=True, exist_ok=True)
    recording = rerun.RecordingStream("evla_ros", recording_id=episode.episode_id or path.stem)
    recording.save(str(path))
    recording.log("instruction", rerun.TextDocument(episode.instruction), static=True)
    for step in range(len(episode)):
        recording.set_time("step", sequence=step)
        recording.set_time("time", duration=step / rate)
        _log_step(rerun, recording, episode, step)
    recording.send_blueprint(_layout(episode))
    recording.flush()


def _layout(episode: Episode) -> Any:
    """Return what the viewer shows at first: cameras above, numbers and the instruction below."""
    import rerun.blueprint as views

    cameras = [views.Spatial2DView(origin=key, name=key) for key in episode.real_cameras]
    below = [views.TimeSeriesView(origin=name, name=name) for name in ("action", "state")]
    text = views.TextDocumentView(origin="instruction", name="instruction")
    rows = [*([views.Horizontal(*cameras)] if cameras else []), views.Horizontal(*below, text)]
    return views.Blueprint(views.Vertical(*rows), collapse_panels=True)


def _log_step(rerun: ModuleType, recording: Any, episode: Episode, step: int) -> None:
    for key in episode.real_cameras:
        if key in episode.images:
            data = bytes(episode.images[key][step])
            kind = "image/png" if data[:4] == b"\x89PNG" else "image/jpeg"
            recording.log(key, rerun.EncodedImage(contents=data, media_type=kind))
        else:
            recording.log(key, rerun.Image(episode.image(key, step)))
    for index, value in enumerate(episode.action[step]):
        recording.log(f"action/{index}", rerun.Scalars(float(value)))
    state = episode.observations.get("state")
    for index, value in enumerate(np.ravel(state[step]) if state is not None else ()):
        recording.log(f"state/{index}", rerun.Scalars(float(value)))


def _rerun() -> ModuleType:
    try:
        import rerun
    except ImportError as error:
        raise EvlaError(
            "rerun recordings need rerun-sdk, which is not installed: pip install rerun-sdk"
        ) from error
    return rerun  # type: ignore[no-any-return]
