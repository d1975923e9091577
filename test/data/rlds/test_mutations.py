# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A hundred damaged datasets: each is read whole or refused with one sentence, never in part."""

from __future__ import annotations

import io
import shutil

import numpy as np
import pytest
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.tfrecord import frame
from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError

MUTATIONS = 100


@pytest.fixture(scope="module")
def pristine(tmp_path_factory):
    arm = load_embodiment("tabletop_arm")
    root = tmp_path_factory.mktemp("pristine")
    return write_synthetic(root, [synthetic_episode(i, arm, steps=4) for i in range(5)], arm).path


def fingerprint(folder):
    """Everything that a reader gets out of the folder, pictures decoded."""
    dataset = RldsDataset.open(folder)
    found = []
    for split in dataset.splits:
        for episode in dataset.episodes(split):
            arrays = [episode.action, *episode.observations.values(), *episode.columns.values()]
            pictures = [episode.image(k, t) for k in episode.images for t in range(len(episode))]
            texts = "|".join(episode.instructions) + str(sorted(episode.metadata.items()))
            found.append((split, texts, b"".join(a.tobytes() for a in (*arrays, *pictures))))
    return found


def flip(data, rng):
    data = bytearray(data)
    data[rng.integers(len(data))] ^= 1 << rng.integers(8)
    return bytes(data)


def cut(data, rng):
    return data[: rng.integers(len(data))]


def remove(data, rng):
    start = rng.integers(len(data))
    return data[:start] + data[start + rng.integers(1, 200) :]


def insert(data, rng):
    start = rng.integers(len(data))
    return data[:start] + rng.bytes(rng.integers(1, 50)) + data[start:]


def zero(data, rng):
    start = rng.integers(len(data) - 1)
    stop = start + int(rng.integers(1, 5000))
    return data[:start] + bytes(len(data[start:stop])) + data[stop:]


def append(data, rng):
    return data + rng.bytes(rng.integers(1, 40))


def repeat(data, rng):
    return data + data


KINDS = (flip, flip, cut, remove, insert, zero, append, repeat)


@pytest.mark.parametrize("seed", range(MUTATIONS))
def test_damaged_shards_are_refused(pristine, tmp_path, seed):
    rng = np.random.default_rng(seed)
    folder = tmp_path / "set"
    shutil.copytree(pristine, folder)
    target = sorted(folder.glob("*.tfrecord*"))[seed % 2]
    original = target.read_bytes()
    damaged = KINDS[seed % len(KINDS)](original, rng)
    target.write_bytes(damaged)
    if damaged == original:
        assert fingerprint(folder) == fingerprint(pristine)
        return
    with pytest.raises(EvlaError) as refusal:
        fingerprint(folder)
    assert target.name in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("seed", range(MUTATIONS))
def test_nonsense_with_a_right_checksum_never_crashes(pristine, tmp_path, seed):
    """A bad writer gives damaged Examples with good checksums: a sentence, or T steps."""
    rng = np.random.default_rng(1000 + seed)
    folder = tmp_path / "set"
    shutil.copytree(pristine, folder)
    target = next(folder.glob("*-val.*"))
    payload = bytes(RldsDataset.open(pristine).record("val", 0))
    head = payload[:600]
    damaged = KINDS[seed % len(KINDS)](head, rng) + payload[600:]
    buffer = io.BytesIO()
    buffer.writelines(frame([damaged]))
    target.write_bytes(buffer.getvalue())
    try:
        found = fingerprint(folder)
    except EvlaError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert len(found) == 5


@pytest.mark.parametrize("name", ["dataset_info.json", "features.json", "dataset_statistics.json"])
@pytest.mark.parametrize("seed", range(20))
def test_damaged_json_never_crashes(pristine, tmp_path, name, seed):
    rng = np.random.default_rng(2000 + seed)
    folder = tmp_path / "set"
    shutil.copytree(pristine, folder)
    path = folder / name
    path.write_bytes(KINDS[seed % len(KINDS)](path.read_bytes(), rng))
    try:
        found = fingerprint(folder)
        statistics = RldsDataset.open(folder).statistics
    except EvlaError as refusal:
        assert "\n" not in str(refusal)
    else:
        assert len(found) == 5
        assert statistics is not None
