# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Contact sheet, video and plots are files that open again and show the episodes."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.doctor.examine import examine
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.view.contact_sheet import choose_episodes, draw_sheet, write_contact_sheet
from evla_ros.data.view.coverage import write_coverage
from evla_ros.data.view.video import episode_rate, write_video
from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError

ROBOTS = ["tabletop_arm", "humanoid_upper_body"]


@pytest.fixture(scope="module", params=ROBOTS)
def dataset(request, tmp_path_factory):
    robot = load_embodiment(request.param)
    episodes = [synthetic_episode(i, robot, steps=12) for i in range(20)]
    return RldsDataset.open(write_synthetic(tmp_path_factory.mktemp("v"), episodes, robot).path)


def test_sheet_shows_a_spread_of_episodes(dataset, tmp_path):
    path = tmp_path / "deep" / "sheet.png"
    assert write_contact_sheet(dataset, path) == 12
    chosen = choose_episodes(dataset)
    assert len(set(chosen)) == 12
    assert {split for split, _ in chosen} == {"train", "val"}
    with Image.open(path) as sheet:
        assert sheet.format == "PNG"
        assert sheet.width > 800
        assert np.asarray(sheet.convert("RGB")).std() > 20


def test_sheet_tells_black_cameras_in_words(tmp_path):
    robot = load_embodiment("tabletop_arm")
    episode = synthetic_episode(0, robot, steps=6)
    black = [encode_jpeg(np.zeros((24, 32, 3), np.uint8))] * 6
    draw_sheet("both", [("train/0", episode)], tmp_path / "both.png")
    episode = type(episode)(
        {**episode.images, "image_wrist": black},
        episode.observations,
        episode.action,
        episode.instructions,
        episode.columns,
        episode.metadata,
    )
    draw_sheet("one", [("train/0", episode)], tmp_path / "one.png")
    with Image.open(tmp_path / "both.png") as both, Image.open(tmp_path / "one.png") as one:
        assert both.height - one.height == 100


def test_video_has_every_step_at_the_recorded_rate(dataset, tmp_path):
    av = pytest.importorskip("av", reason="PyAV is not installed")
    episode = dataset.episode("train", 0)
    assert episode_rate(episode) == pytest.approx(10.0)
    assert write_video(episode, tmp_path / "v.mp4") == 12
    with av.open(str(tmp_path / "v.mp4")) as container:
        stream = container.streams.video[0]
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert float(stream.average_rate) == pytest.approx(10.0)
        assert stream.codec_context.name == "h264"
    assert len(frames) == 12
    cameras = len(episode.real_cameras)
    assert frames[0].shape[1] >= cameras * 256
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 50


def test_coverage_plots(dataset, tmp_path):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    found = examine(dataset)
    written = write_coverage(found.episodes, found.context, tmp_path)
    assert [path.name for path in written] == ["workspace.png", "actions.png", "episodes.png"]
    for path in written:
        with Image.open(path) as image:
            assert np.asarray(image.convert("L")).std() > 10
    with pytest.raises(EvlaError, match="no readable episodes"):
        write_coverage([], found.context, tmp_path)


def test_rerun_recording(dataset, tmp_path):
    pytest.importorskip("rerun", reason="rerun-sdk is not installed")
    from evla_ros.data.view.rerun_export import write_rerun

    write_rerun(dataset.episode("train", 0), tmp_path / "e.rrd")
    assert (tmp_path / "e.rrd").read_bytes()[:3] == b"RRF"
    assert (tmp_path / "e.rrd").stat().st_size > 10_000
