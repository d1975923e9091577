# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A dataset for LeRobot and back: number for number, and as its readers want it."""

from __future__ import annotations

import json

import numpy as np
import pytest

pytest.importorskip(
    "pyarrow", reason="LeRobot datasets need pyarrow: pip install 'evla_ros[lerobot]'"
)

import pyarrow.parquet as pq
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.cli.main import main
from evla_ros.data.foreign.importing import import_dataset
from evla_ros.data.lerobot.export import export
from evla_ros.data.lerobot.folder import LeRobotFolder
from evla_ros.data.lerobot.layout import LeRobotError
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import action_layout, load_embodiment

STEPS = (9, 12, 7, 15)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    robot = load_embodiment("tabletop_arm")
    root = tmp_path_factory.mktemp("rlds")
    episodes = [synthetic_episode(i, robot, steps=steps) for i, steps in enumerate(STEPS)]
    report = write_synthetic(root, episodes, robot, cameras={"primary": ((480, 640),)})
    return RldsDataset.open(report.path)


@pytest.fixture(scope="module")
def exported(dataset, tmp_path_factory):
    target = tmp_path_factory.mktemp("lerobot") / "my_robot"
    export(dataset, target, licence="cc-by-4.0")
    return target


def test_back_again_it_is_the_same_dataset(dataset, exported, tmp_path):
    made = import_dataset(exported, tmp_path, None, None, None, (24, 32))
    copy = RldsDataset.open(made.report.path)
    assert copy.splits == dataset.splits
    for split, count in dataset.splits.items():
        for index in range(count):
            assert bytes(copy.record(split, index)) == bytes(dataset.record(split, index))
    for name in ("content.json", "features.json", "dataset_statistics.json", "embodiment.yaml",
                 "cameras.json", "oxe_registration.py.txt"):  # fmt: skip
        assert (copy.path / name).read_text() == (dataset.path / name).read_text(), name
    again = import_dataset(exported, dataset.path.parents[1], None, None, None, (24, 32))
    assert again.report.unchanged


def test_info_and_tables_are_as_lerobot_reads_them(dataset, exported):
    info = json.loads((exported / "meta/info.json").read_text())
    assert info["codebase_version"] == "v3.0"
    assert (info["total_episodes"], info["total_frames"], info["fps"]) == (4, sum(STEPS), 10)
    assert info["video_path"] is None
    train = dataset.splits["train"]
    assert info["splits"] == {"train": f"0:{train}", "val": f"{train}:4"}
    features = info["features"]
    robot = load_embodiment("tabletop_arm")
    assert features["action"]["names"] == list(action_layout(robot).names)
    assert features["observation.images.primary"]["shape"] == [24, 32, 3]
    assert features["next.done"] == {"dtype": "bool", "shape": [1], "names": None}
    assert all("/" not in name for name in features)

    table = pq.read_table(exported / "data/chunk-000/file-000.parquet")
    assert str(table.schema.field("action").type) == "fixed_size_list<element: float>[7]"
    assert str(table.schema.field("timestamp").type) == "float"
    assert str(table.schema.field("index").type) == "int64"
    assert table["index"].to_pylist() == list(range(sum(STEPS)))
    hub = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert hub["observation.images.primary"] == {"_type": "Image"}
    assert set(hub) == set(table.column_names) == set(features)

    first = dataset.episode("train", 0)
    rows = table.slice(0, len(first)).to_pylist()
    assert [row["frame_index"] for row in rows] == list(range(len(first)))
    assert np.allclose([row["timestamp"] for row in rows], np.arange(len(first)) / 10)
    assert [row["action"] for row in rows] == first.action.tolist()
    assert rows[3]["observation.images.wrist"]["bytes"] == first.images["image_wrist"][3]

    episodes = pq.read_table(exported / "meta/episodes/chunk-000/file-000.parquet").to_pylist()
    assert [row["length"] for row in episodes] == [
        len(dataset.episode(split, i)) for split, n in dataset.splits.items() for i in range(n)
    ]
    assert [row["dataset_to_index"] for row in episodes] == np.cumsum(
        [row["length"] for row in episodes]
    ).tolist()
    assert all(row["tasks"] for row in episodes)
    assert episodes[0]["stats/action/count"] == [len(first)]

    tasks = pq.read_table(exported / "meta/tasks.parquet")
    assert json.loads(tasks.schema.metadata[b"pandas"])["index_columns"] == ["task"]


def test_statistics_are_those_of_all_frames(dataset, exported):
    found = json.loads((exported / "meta/stats.json").read_text())
    everything = [dataset.episode(s, i) for s, n in dataset.splits.items() for i in range(n)]
    actions = np.concatenate([episode.action for episode in everything]).astype(np.float64)
    assert np.allclose(found["action"]["mean"], actions.mean(axis=0))
    assert np.allclose(found["action"]["std"], actions.std(axis=0))
    assert np.allclose(found["action"]["q99"], np.quantile(actions, 0.99, axis=0))
    assert found["action"]["count"] == [len(actions)]
    pictures = np.stack([e.image("image_wrist", i) for e in everything for i in range(len(e))])
    mean = pictures.reshape(-1, 3).mean(axis=0) / 255
    assert np.shape(found["observation.images.wrist"]["mean"]) == (3, 1, 1)
    assert np.allclose(np.ravel(found["observation.images.wrist"]["mean"]), mean, atol=0.03)


def test_card_names_licence_robot_and_features(exported):
    text = (exported / "README.md").read_text()
    assert "license: cc-by-4.0" in text
    assert "- LeRobot" in text
    assert "tabletop_arm" in text
    assert "`observation.state`" in text


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_videos_keep_numbers_exactly_and_pictures_nearly(dataset, tmp_path, codec):
    export(dataset, tmp_path / "film", codec)
    folder = LeRobotFolder.open(tmp_path / "film")
    assert len(list((tmp_path / "film").rglob("*.mp4"))) == 2, "several episodes share a video"
    number = 0
    for split, count in dataset.splits.items():
        for index in range(count):
            episode, place = dataset.episode(split, index), folder.places[number]
            assert (folder.numbers(place, "action") == episode.action).all()
            frames = list(folder.pictures(place, "observation.images.wrist"))
            stored = [episode.image("image_wrist", i).astype(int) for i in range(len(episode))]
            assert len(frames) == len(stored)
            for mine, theirs in zip(frames, stored, strict=True):
                assert np.abs(mine - theirs).mean() < 12
            other = np.abs(frames[0].astype(int) - stored[-1]).mean()
            assert np.abs(frames[0] - stored[0]).mean() < other, "the first frame is the first"
            number += 1


def test_files_are_closed_at_their_size(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr("evla_ros.data.lerobot.series.DATA_MB", 0)
    monkeypatch.setattr("evla_ros.data.lerobot.series.VIDEO_MB", 0)
    export(dataset, tmp_path / "many", "h264")
    assert len(list((tmp_path / "many/data").rglob("*.parquet"))) == len(STEPS)
    folder = LeRobotFolder.open(tmp_path / "many")
    assert {place.data for place in folder.places} == {
        f"data/chunk-000/file-{i:03d}.parquet" for i in range(len(STEPS))
    }
    made = import_dataset(tmp_path / "many", tmp_path / "back", None, None, None, (24, 32))
    copy = RldsDataset.open(made.report.path)
    for split, count in dataset.splits.items():
        for index in range(count):
            mine, theirs = copy.episode(split, index), dataset.episode(split, index)
            assert (mine.action == theirs.action).all()
            assert mine.metadata == theirs.metadata


def test_refusals_name_the_fix_and_leave_nothing(dataset, exported, tmp_path, capsys):
    assert main(["dataset", "export", str(dataset.path), str(exported), "--to", "lerobot"]) == 2
    assert "nothing is ever overwritten" in capsys.readouterr().err
    assert main(["dataset", "export", str(dataset.path), str(tmp_path / "x"), "--to", "hdf5"]) == 2
    assert "lerobot" in capsys.readouterr().err
    robot = load_embodiment("tabletop_arm")
    odd = write_synthetic(
        tmp_path / "odd", [synthetic_episode(0, robot, size=(25, 31))], robot, size=(25, 31)
    )
    with pytest.raises(LeRobotError, match="must be even; export without --video"):
        export(RldsDataset.open(odd.path), tmp_path / "y", "h264")
    assert not (tmp_path / "y").exists()
    assert not list(tmp_path.glob(".y*"))


def test_a_rate_that_is_no_whole_number_is_asked_for(tmp_path):
    text = load_embodiment("tabletop_arm").text.replace("rate_hz: 10\n", "rate_hz: 7.5\n", 1)
    (tmp_path / "slow.yaml").write_text(text)
    robot = load_embodiment(tmp_path / "slow.yaml")
    report = write_synthetic(tmp_path, [synthetic_episode(0, robot)], robot)
    with pytest.raises(LeRobotError, match=r"has 7\.5: give --fps"):
        export(RldsDataset.open(report.path), tmp_path / "x")
    assert export(RldsDataset.open(report.path), tmp_path / "x", fps=8).frames == 9


def test_command_exports_and_imports(dataset, tmp_path, capsys):
    target, back = tmp_path / "out", tmp_path / "back"
    assert main(["dataset", "export", str(dataset.path), str(target), "--to", "lerobot"]) == 0
    assert "4 episodes, 43 frames" in capsys.readouterr().out
    assert main(["dataset", "import", str(target), str(back)]) == 0
    out = capsys.readouterr().out
    assert "restored as it was" in out
    assert f"next: evla dataset doctor {back}/my_robot/1.0.0" in out
