# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads a dataset with tf.data for comparison, in the TensorFlow environment; imports no evla_ros.

`python tfdata_reader.py FOLDER CAMERAS SHUFFLE SECONDS THREADS` prints one JSON object; one thread
means a pool of one, more means AUTOTUNE.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any


def main() -> None:
    """Decode the first CAMERAS images of every step of `train` as fast as tf.data can."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    folder, cameras, shuffle, seconds = (
        sys.argv[1],
        int(sys.argv[2]),
        int(sys.argv[3]),
        float(sys.argv[4]),
    )
    builder = tfds.builder_from_directory(folder)
    observation = builder.info.features["steps"]["observation"]
    images = sorted(k for k, f in observation.items() if isinstance(f, tfds.features.Image))
    used = images[:cameras]
    dataset = builder.as_dataset(split="train", decoders={"steps": tfds.decode.SkipDecoding()})

    def steps(episode: Any) -> Any:
        rows = {key: episode["steps"]["observation"][key] for key in (*used, "state")}
        return tf.data.Dataset.from_tensor_slices({**rows, "action": episode["steps"]["action"]})

    def decode(row: Any) -> Any:
        return {**row, **{key: tf.io.decode_jpeg(row[key], channels=3) for key in used}}

    dataset = dataset.repeat().flat_map(steps)
    if shuffle:
        dataset = dataset.shuffle(shuffle)
    if int(sys.argv[5]) == 1:
        options = tf.data.Options()
        options.threading.private_threadpool_size = 1
        options.threading.max_intra_op_parallelism = 1
        dataset = dataset.map(decode).batch(64).with_options(options)
    else:
        dataset = dataset.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
        dataset = dataset.batch(64).prefetch(tf.data.AUTOTUNE)
    rows = iter(dataset.as_numpy_iterator())
    for _ in range(max(2, shuffle // 64)):
        next(rows)
    count, started, busy = 0, time.perf_counter(), time.process_time()
    while (elapsed := time.perf_counter() - started) < seconds:
        count += len(next(rows)["action"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    result = {"steps_per_s": count / elapsed, "cpu_s": (time.process_time() - busy) / count}
    print(json.dumps({**result, "peak_mib": peak, "tf": tf.__version__}))


if __name__ == "__main__":
    main()
