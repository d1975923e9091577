# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Both directions against the real tensorflow-datasets, in an environment of its own."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.episode import Episode
from evla_ros.data.image_resize import resize_rgb
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment

SCRIPT = Path(__file__).with_name("tfds_check.py")
# TensorFlow decodes JPEG with another inverse DCT than OpenCV; the stored bytes are equal.
MEAN_TOLERANCE, TOLERANCE = 3.0, 40


def run_tfds(python: Path, mode: str, folder: Path, target: Path) -> dict[str, np.ndarray]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    subprocess.run(
        [str(python), str(SCRIPT), mode, str(folder), str(target)], check=True, env=environment
    )
    with np.load(target, allow_pickle=True) as stored:
        return dict(stored)


def columns_of(episode: Episode) -> dict[str, np.ndarray]:
    columns = {"steps/action": episode.action}
    columns |= {f"steps/observation/{key}": value for key, value in episode.observations.items()}
    columns |= {f"steps/{key}": value for key, value in episode.columns.items()}
    columns["steps/language_instruction"] = np.asarray([t.encode() for t in episode.instructions])
    return columns


def assert_same_pictures(found: np.ndarray, episode: Episode, key: str) -> None:
    ours = np.stack([episode.image(key, t) for t in range(len(episode))])
    assert found.shape == ours.shape
    difference = np.abs(found.astype(int) - ours)
    assert difference.mean() <= MEAN_TOLERANCE
    assert difference.max() <= TOLERANCE


@pytest.mark.parametrize("robot", ["tabletop_arm", "humanoid_upper_body"])
def test_tfds_reads_ours_exactly(tfds_python, tmp_path, robot):
    embodiment = load_embodiment(robot)
    episodes = [synthetic_episode(i, embodiment) for i in range(5)]
    report = write_synthetic(tmp_path, episodes, embodiment, shard_bytes=20000)
    dumped = run_tfds(tfds_python, "read", report.path, tmp_path / "read.npz")
    dataset = RldsDataset.open(report.path)
    compared = 0
    for split, count in dataset.splits.items():
        for index in range(count):
            episode = dataset.episode(split, index)
            original = synthetic_episode(int(episode.episode_id[-3:]), embodiment)
            for key, expected in columns_of(original).items():
                found = dumped.pop(f"{split}|{index}|{key}")
                assert found.dtype == expected.dtype or key.endswith("instruction")
                np.testing.assert_array_equal(found, expected)
                compared += 1
            for key in original.images:
                found = dumped.pop(f"{split}|{index}|steps/observation/{key}")
                assert_same_pictures(found, original, key)
                stored = dumped.pop(f"{split}|{index}|bytes/{key}")
                assert stored.tolist() == [data.hex() for data in original.images[key]]
            for key, value in original.metadata.items():
                found = dumped.pop(f"{split}|{index}|episode_metadata/{key}").item()
                assert (found.decode() if isinstance(value, str) else found) == value
    assert not dumped
    assert sum(dataset.splits.values()) == 5
    assert compared == 5 * 10


def test_ours_reads_tfds_exactly(tfds_python, tmp_path):
    dumped = run_tfds(tfds_python, "write", tmp_path, tmp_path / "written.npz")
    dataset = RldsDataset.open(tmp_path / "foreign_set")
    assert dataset.path.name == "2.3.4"
    assert dataset.splits == {"train": 3}
    by_path = {str(e.metadata["path"]): e for e in dataset.episodes("train")}
    for index in range(3):
        episode = by_path[f"/data/{index}"]
        assert episode.metadata["ok"] == (index % 2 == 0)
        image = np.stack([episode.image("image", t) for t in range(len(episode))])
        np.testing.assert_array_equal(image, dumped.pop(f"train|{index}|steps/observation/image"))
        texts = dumped.pop(f"train|{index}|steps/language_instruction")
        assert list(episode.instructions) == texts.tolist()
        found = columns_of(episode)
        for key in [k for k in dumped if k.startswith(f"train|{index}|")]:
            expected = dumped.pop(key)
            column = found[key.split("|")[2]]
            assert column.dtype == expected.dtype
            np.testing.assert_array_equal(column, expected)
    assert not dumped


def test_ours_reads_bridge_as_tfds_does(tfds_python, tmp_path, shared):
    folder = shared / "data" / "bridge_dataset" / "1.0.0"
    dumped = run_tfds(tfds_python, "read", folder, tmp_path / "read.npz")
    dataset = RldsDataset.open(folder)
    for index, episode in enumerate(dataset.episodes("train")):
        for key, column in columns_of(episode).items():
            np.testing.assert_array_equal(column, dumped[f"train|{index}|{key}"])
        for key in episode.images:
            assert_same_pictures(dumped[f"train|{index}|steps/observation/{key}"], episode, key)
            stored = dumped[f"train|{index}|bytes/{key}"]
            assert stored.tolist() == [data.hex() for data in episode.images[key]]
        for key, value in episode.metadata.items():
            found = dumped[f"train|{index}|episode_metadata/{key}"].item()
            assert (found.decode() if isinstance(value, str) else found) == value


def test_our_resize_is_the_resize_of_the_loaders(tfds_python, tmp_path):
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:480, 0:640]
    image = 127 + 80 * np.sin(rows / 9.0) + 40 * np.cos(columns / 23.0)
    image = np.stack([image, np.roll(image, 50, 1), 255 - image], -1) + rng.normal(
        0, 8, (480, 640, 3)
    )
    image = np.clip(image, 0, 255).astype(np.uint8)
    np.save(tmp_path / "image.npy", image)
    theirs = run_tfds(tfds_python, "resize", tmp_path / "image.npy", tmp_path / "small.npz")
    difference = np.abs(resize_rgb(image, 224).astype(int) - theirs["image"])
    assert difference.mean() < 0.2
    assert difference.max() <= 4  # Pillow rounds and clips between its two passes
