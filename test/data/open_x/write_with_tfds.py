# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs inside the TensorFlow environment: writes invented Open-X datasets with tfds itself.

`python write_with_tfds.py ROOT NAME ...`. Imports nothing of evla_ros.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow_datasets as tfds

sys.path.insert(0, str(Path(__file__).parents[2] / "rigs"))
import open_x_fakes as fakes

F = tfds.features
_ENCODINGS = {"none": F.Encoding.NONE, "zlib": F.Encoding.ZLIB}


def feature(column):
    if column.kind == "image":
        return F.Image(shape=(fakes.SIZE, fakes.SIZE, 3), encoding_format="png")
    if column.kind == "text":
        return F.Text()
    dtype, encoding = np.dtype(column.dtype), _ENCODINGS[column.encoding]
    if not column.shape:
        return F.Scalar(dtype=dtype)
    return F.Tensor(shape=column.shape, dtype=dtype, encoding=encoding)


def put(tree, name, value):
    """Nest `action/world_vector`; names of observations may hold slashes themselves."""
    folder, _, rest = name.partition("/")
    if rest:
        tree.setdefault(folder, {})[rest] = value
    else:
        tree[name] = value


def main(root, names):
    for name in names:
        steps = {}
        for column in fakes.columns(name):
            put(steps, column.name, feature(column))
        flags = ("is_first", "is_last", "is_terminal")
        steps |= {flag: F.Scalar(dtype=np.bool_) for flag in flags}
        episode = {"steps": F.Dataset(steps), "episode_metadata": {"file_path": F.Text()}}
        info = tfds.core.DatasetInfo(
            builder=tfds.core.dataset_info.DatasetIdentity(
                name=name,
                version=tfds.core.Version("0.1.0"),
                data_dir=str(root / name / "0.1.0"),
                module_name="",
            ),
            features=F.FeaturesDict(episode),
        )
        (root / name / "0.1.0").mkdir(parents=True)
        writer = tfds.core.SequentialWriter(info, max_examples_per_shard=100)
        writer.initialize_splits(["train"])
        writer.add_examples({"train": [rows(name, index) for index in range(fakes.EPISODES)]})
        writer.close_all()


def rows(name, index):
    found = []
    values = fakes.episode(name, index)
    for step in range(fakes.STEPS):
        row = {"is_first": step == 0, "is_last": step == fakes.STEPS - 1}
        row["is_terminal"] = row["is_last"]
        for key, column in values.items():
            put(row, key, str(column[step]) if column.dtype.kind == "U" else column[step])
        found.append(row)
    return {"steps": found, "episode_metadata": {"file_path": f"/data/{index}"}}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
