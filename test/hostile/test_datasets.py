# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets made to hurt: each is refused with one sentence, and nothing is written outside."""

from __future__ import annotations

import json
import os
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dataset_subjects import dataset
from sandbox import listing, run
from subject import copied, evla

from evla_ros.data.image_jpeg import decode_rgb, decode_small, encode_jpeg, image_size
from evla_ros.data.image_resize import ImageError
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.tfrecord import frame, scan_records
from evla_ros.data.view.drawing import scaled
from evla_ros.errors import EvlaError


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return dataset(tmp_path_factory.mktemp("original"))


@pytest.fixture
def folder(original, tmp_path):
    return copied(original, tmp_path / "set")


def change(folder: Path, name: str, how: Any) -> None:
    content = json.loads((folder / name).read_text())
    how(content)
    (folder / name).write_text(json.dumps(content))


def split(content: dict[str, Any], **values: Any) -> None:
    content["splits"][0].update(values)


INFOS = {
    "a million million episodes": (
        lambda c: split(c, shardLengths=["1000000000000"]),
        r"1000000000000 episodes, the limit is 10000000 \(set EVLA_MAX_EPISODES",
    ),
    "more than fit into the file": (
        lambda c: split(c, shardLengths=["1000000"]),
        "cannot hold the 1000000 episodes that dataset_info.json says",
    ),
    "negative": (lambda c: split(c, shardLengths=["-3"]), "'-3' is no count"),
    "no number": (lambda c: split(c, shardLengths=[3.5]), "3.5 is no count"),
    "digits": (lambda c: split(c, numBytes="9" * 5000), "is no count"),
    "many shards": (
        lambda c: split(c, shardLengths=["0"] * 200_000),
        r"200000 files, the limit is 100000 \(set EVLA_MAX_FILES",
    ),
    "split name": (lambda c: split(c, name="../../x"), "split name '../../x' is no plain name"),
    "dataset name": (lambda c: c.update(name="/etc/x"), "dataset name '/etc/x' is no plain name"),
    "template": (
        lambda c: split(c, filepathTemplate="../{SPLIT}"),
        "filepathTemplate '../{SPLIT}' names no file of this folder",
    ),
    "version": (lambda c: c.update(version="1." * 5000), "must be three numbers"),
}


@pytest.mark.parametrize("name", INFOS)
def test_a_damaged_dataset_info_is_one_sentence(folder, name):
    how, said = INFOS[name]
    change(folder, "dataset_info.json", how)
    with pytest.raises(EvlaError, match=said) as refused:
        RldsDataset.open(folder)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 600


def action(content: dict[str, Any]) -> dict[str, Any]:
    return content["featuresDict"]["features"]["steps"]["sequence"]["feature"]["featuresDict"][
        "features"
    ]["action"]["tensor"]


FEATURES = {
    "huge shape": (
        lambda c: action(c)["shape"].update(dimensions=["2000000000", "2000000000"]),
        "feature 'action': no step holds so many numbers",
    ),
    "no number": (
        lambda c: action(c)["shape"].update(dimensions=["seven"]),
        "feature 'action': 'seven' is no size",
    ),
    "no list": (lambda c: action(c)["shape"].update(dimensions=7), "is no short list"),
    "no object": (lambda c: action(c).update(shape=[7]), "feature 'action' is no JSON object"),
}


@pytest.mark.parametrize("name", FEATURES)
def test_a_damaged_features_json_is_one_sentence(folder, name):
    how, said = FEATURES[name]
    change(folder, "features.json", how)
    with pytest.raises(EvlaError, match=said):
        RldsDataset.open(folder)


@pytest.mark.parametrize("dtype", ["object", "O", "f4,f4", "float33", "M8[ns]"])
def test_types_that_are_no_numbers_are_not_read(folder, dtype):
    change(folder, "features.json", lambda c: action(c).update(dtype=dtype))
    opened = RldsDataset.open(folder)
    assert opened.features.action_dim == 0
    assert opened.features.steps["action"].kind == "unsupported"
    assert opened.episode("train", 0).action.shape[1] == 0


def test_a_column_of_zlib_that_holds_a_gigabyte_is_refused():
    from evla_ros.data.rlds.episode_decode import decode_numbers
    from evla_ros.data.rlds.errors import CorruptRecordError
    from evla_ros.data.rlds.example_proto import encode_example, scan_example
    from evla_ros.data.rlds.features import Feature

    bomb = zlib.compress(bytes(1 << 30), 9)
    spans = scan_example(memoryview(encode_example({"x": [bomb]})))
    feature = Feature("tensor", (4,), "float32", "zlib")
    outcome = run(lambda: decode_numbers(spans["x"], feature, 1, "x"), memory=256 << 20)
    assert outcome.ending == "refused", outcome.text
    assert "'x' holds" in outcome.text
    with pytest.raises(CorruptRecordError):
        decode_numbers(spans["x"], feature, 1, "x")


@pytest.mark.parametrize("how", ["folder", "pipe", "loop", "memory", "missing"])
def test_what_stands_in_place_of_a_shard_is_said(folder, how):
    shard = next(folder.glob("*train*"))
    shard.unlink()
    if how == "folder":
        shard.mkdir()
    elif how == "pipe":
        os.mkfifo(shard)
    elif how == "loop":
        shard.symlink_to(shard.name)
    elif how == "memory":
        shard.symlink_to("/proc/self/mem")
    for call in (evla("inspect", folder), evla("dataset", "stats", folder)):
        outcome = run(call, seconds=60)
        assert outcome.ending == "refused", outcome.text
        assert shard.name in outcome.text


def test_a_split_named_after_another_folder_writes_nothing_there(folder, tmp_path):
    change(folder, "dataset_info.json", lambda c: split(c, name="../../../escaped"))
    before = listing(tmp_path)
    outcome = run(evla("dataset", "edit", folder, "--out", tmp_path / "out", "--instruction", "x"))
    assert outcome.ending == "refused"
    assert listing(tmp_path) == before


def png(width: int, height: int) -> bytes:
    """Return a PNG of that size whose pixels are all zero."""
    rows = zlib.compressobj(9)
    row = bytes(1 + 3 * width)
    data = b"".join(rows.compress(row) for _ in range(height)) + rows.flush()

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = (chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("read", [decode_rgb, decode_small, image_size])
def test_pictures_of_too_many_pixels_are_refused_by_their_header(read, monkeypatch):
    huge = png(30_000, 40)[:33].replace(struct.pack(">I", 40), struct.pack(">I", 30_000))
    with pytest.raises(ImageError, match=r"30000x30000: 900000000 pixels, the limit is 67108864"):
        read(huge)
    jpeg = bytearray(encode_jpeg(np.zeros((16, 16, 3), np.uint8)))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    with pytest.raises(ImageError, match="65000x65000: 4225000000 pixels"):
        read(bytes(jpeg))
    small = png(8, 4)
    assert decode_rgb(small).shape == (4, 8, 3)
    monkeypatch.setenv("EVLA_MAX_PIXELS", "31")
    with pytest.raises(ImageError, match=r"8x4: 32 pixels, the limit is 31 \(set EVLA_MAX_PIXELS"):
        read(small)


@pytest.mark.parametrize(
    "data", [b"", b"BM" + bytes(60), b"II*\0" + bytes(60), b"\x89PNG\r\n\x1a\n"]
)
def test_what_is_neither_jpeg_nor_png_reaches_no_decoder(data):
    with pytest.raises(ImageError, match="neither JPEG nor PNG|empty"):
        decode_rgb(data)


def test_a_picture_of_one_row_is_drawn_in_bounded_width():
    assert scaled(np.zeros((1, 200_000, 3), np.uint8), 96).shape == (96, 16 * 96, 3)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_damaged_picture_ends_a_training_with_its_place_in_one_sentence(
    tmp_path, workers, monkeypatch
):
    """Torch puts the traceback of a worker process into the message of what it raises."""
    pytest.importorskip("torch")
    from model_subjects import training

    from evla_ros.training.command_line import Request, requested_config
    from evla_ros.training.train import train

    folder = training(tmp_path / "training")
    shard = next((folder / "my_robot").rglob("*train*"))
    data = memoryview(shard.read_bytes())
    records = [bytes(data[start:stop]) for start, stop in scan_records(data, shard.name)]
    damaged = [record.replace(b"\xff\xd8\xff", b"\x00\x00\x00") for record in records]
    with shard.open("wb") as file:
        for record in damaged:
            file.writelines(frame([record]))
    changes = (f"data.workers={workers}", f"output={tmp_path / 'run'}")
    monkeypatch.chdir(folder)
    with pytest.raises(EvlaError) as refused:
        train(requested_config(Request(("train.yaml", *changes))))
    told = str(refused.value)
    assert "dataset 'my_robot', split 'train', episode" in told
    assert "neither JPEG nor PNG" in told
    assert "\n" not in told
