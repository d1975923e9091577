# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs inside the TensorFlow environment: `read` a folder of ours, or `write` one with tfds itself.

`read FOLDER OUT.npz` dumps every value tfds decodes, `write FOLDER OUT.npz` makes a dataset with
tfds and dumps what went in, `resize IN.npy OUT.npz` is TensorFlow's Lanczos3.
Imports nothing of evla_ros.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

F = tfds.features


def flatten(prefix, value, out):
    if isinstance(value, dict):
        for key, child in value.items():
            flatten(f"{prefix}/{key}" if prefix else key, child, out)
    else:
        out[prefix] = value


def rows_of(episode):
    columns = {}
    for row in tfds.as_numpy(episode["steps"]):
        flat = {}
        flatten("", row, flat)
        for key, value in flat.items():
            columns.setdefault(key, []).append(value)
    return columns


def read(folder, target):
    builder = tfds.builder_from_directory(folder)
    observation = builder.info.features["steps"]["observation"]
    images = [key for key, feature in observation.items() if isinstance(feature, F.Image)]
    skip = {"steps": {"observation": dict.fromkeys(images, tfds.decode.SkipDecoding())}}
    dumped = {}
    for split in builder.info.splits:
        decoded = builder.as_dataset(split=split, shuffle_files=False)
        encoded = builder.as_dataset(split=split, shuffle_files=False, decoders=skip)
        for index, (episode, raw) in enumerate(zip(decoded, encoded, strict=True)):
            flat = {}
            flatten("", {k: tfds.as_numpy(v) for k, v in episode.items() if k != "steps"}, flat)
            for key, values in rows_of(episode).items():
                flat[f"steps/{key}"] = values
            for key in images:
                data = rows_of(raw)[f"observation/{key}"]
                flat[f"bytes/{key}"] = np.asarray([bytes(b).hex() for b in data])
            for key, value in flat.items():
                dumped[f"{split}|{index}|{key}"] = np.asarray(value)
    np.savez(target, **dumped)


def features():
    return F.FeaturesDict(
        {
            "steps": F.Dataset(
                {
                    "observation": F.FeaturesDict(
                        {
                            "image": F.Image(shape=(16, 20, 3), encoding_format="png"),
                            "raw": F.Tensor(shape=(4, 5, 3), dtype=np.uint8),
                            "state": F.Tensor(shape=(8,), dtype=np.float32),
                            "wide": F.Tensor(shape=(2, 3), dtype=np.int32),
                            "packed": F.Tensor(
                                shape=(3,), dtype=np.float32, encoding=F.Encoding.ZLIB
                            ),
                        }
                    ),
                    "action": F.Tensor(shape=(7,), dtype=np.float32),
                    "language_instruction": F.Text(),
                    "is_first": F.Scalar(np.bool_),
                    "is_last": F.Scalar(np.bool_),
                    "count": F.Scalar(np.int64),
                }
            ),
            "episode_metadata": F.FeaturesDict({"path": F.Text(), "ok": F.Scalar(np.bool_)}),
        }
    )


def make_episode(index, dumped):
    rng = np.random.default_rng(index)
    steps = 4 + index
    columns = {
        "observation/image": rng.integers(0, 255, (steps, 16, 20, 3), dtype=np.uint8),
        "observation/raw": rng.integers(0, 255, (steps, 4, 5, 3), dtype=np.uint8),
        "observation/state": rng.normal(size=(steps, 8)).astype(np.float32),
        "observation/wide": rng.integers(-(2**31), 2**31 - 1, (steps, 2, 3), dtype=np.int32),
        "observation/packed": rng.normal(size=(steps, 3)).astype(np.float32),
        "action": rng.normal(size=(steps, 7)).astype(np.float32),
        "language_instruction": np.asarray([f"fold the towel {index} ü"] * steps),
        "is_first": np.arange(steps) == 0,
        "is_last": np.arange(steps) == steps - 1,
        "count": rng.integers(-(2**62), 2**62, steps),
    }
    for key, values in columns.items():
        dumped[f"train|{index}|steps/{key}"] = values
    rows = []
    for step in range(steps):
        row = {"observation": {}}
        for key, values in columns.items():
            branch, name = (row["observation"], key[12:]) if "/" in key else (row, key)
            branch[name] = str(values[step]) if values.dtype.kind == "U" else values[step]
        rows.append(row)
    return {"steps": rows, "episode_metadata": {"path": f"/data/{index}", "ok": index % 2 == 0}}


def write(folder, target):
    dumped = {}

    class ForeignSet(tfds.core.GeneratorBasedBuilder):
        VERSION = tfds.core.Version("2.3.4")
        pkg_dir_path = epath.Path(folder)  # where tfds looks for its metadata files

        def _info(self):
            return tfds.core.DatasetInfo(builder=self, features=features())

        def _split_generators(self, dl_manager):
            return {"train": self._generate_examples()}

        def _generate_examples(self):
            for index in range(3):
                yield f"{index}", make_episode(index, dumped)

    ForeignSet.name = "foreign_set"
    builder = ForeignSet(data_dir=folder)
    builder.download_and_prepare(
        download_config=tfds.download.DownloadConfig(try_download_gcs=False)
    )
    np.savez(target, **dumped)


def resize(source, target):
    """Resize the picture in SOURCE (npy) to 224 as OpenVLA's and Octo's loaders do."""
    import tensorflow as tf

    image = np.load(source)
    small = tf.image.resize(image, (224, 224), method="lanczos3", antialias=True)
    small = tf.cast(tf.clip_by_value(tf.round(small), 0, 255), tf.uint8)
    np.savez(target, image=small.numpy())


if __name__ == "__main__":
    mode, folder, target = sys.argv[1:]
    {"read": read, "write": write, "resize": resize}[mode](folder, Path(target))
