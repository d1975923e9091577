# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What somebody else's datasets are made of: a motion, its numbers and pictures, LeRobot's v2.1."""

from __future__ import annotations

import json

import numpy as np

from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import rotation
from evla_ros.geometry.pose import Pose

T, SIZE = 12, (24, 32)


def motion(seed, count=T):
    """Return poses, and openings 1 then 0."""
    rng = np.random.default_rng(seed)
    start, turned = np.array([0.4, 0.0, 0.3]), np.array([3.0, 0.0, 0.1])
    positions = start + np.cumsum(rng.normal(0, 0.01, (count, 3)), axis=0)
    turns = turned + np.cumsum(rng.normal(0, 0.05, (count, 3)), axis=0)
    poses = [Pose(p, rotation.from_rotvec(r)) for p, r in zip(positions, turns, strict=True)]
    return poses, (np.arange(count) < count // 2).astype(float)


def state_of(poses, openings):
    rows = [
        [*(1000 * p.position_m), *rotation.to_rotvec(p.quaternion_xyzw), 100 * o]
        for p, o in zip(poses, openings, strict=True)
    ]
    return np.array(rows, np.float32)


def picture(number):
    image = np.full((48, 64, 3), 40, np.uint8)
    image[:, 4 * number : 4 * number + 6] = (220, 30, 60)
    return image


def pyarrow():
    import pyarrow as pa
    import pyarrow.parquet

    return pa


def write_v21(root, episodes=3, poses=motion):
    """Write LeRobot v2.1 as its own tools do: a file an episode, pictures in the table."""
    pa = pyarrow()
    columns = {
        "observation.state": {"dtype": "float32", "shape": [7], "names": {"axes": [*"xyzabcg"]}},
        "observation.images.top": {"dtype": "image", "shape": [48, 64, 3], "names": None},
        "observation.images.side": {"dtype": "image", "shape": [48, 64, 3], "names": None},
        "note": {"dtype": "string", "shape": [1], "names": None},
        **{n: {"dtype": "int64", "shape": [1], "names": None}
           for n in ("frame_index", "episode_index", "index", "task_index")},
        "timestamp": {"dtype": "float32", "shape": [1], "names": None},
    }  # fmt: skip
    info = {
        "codebase_version": "v2.1", "robot_type": "foreign", "fps": 20, "chunks_size": 1000,
        "total_episodes": episodes, "total_frames": episodes * T, "total_tasks": 2,
        "splits": {"train": f"0:{episodes}"}, "features": columns, "video_path": None,
        "data_path": "data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet",
    }  # fmt: skip
    (root / "meta").mkdir(parents=True)
    (root / "data/chunk-000").mkdir(parents=True)
    (root / "meta/info.json").write_text(json.dumps(info))
    tasks = ["pick up the cup", "put it down"]
    lines = [json.dumps({"task_index": i, "task": task}) for i, task in enumerate(tasks)]
    (root / "meta/tasks.jsonl").write_text("\n".join(lines))
    rows = []
    for number in range(episodes):
        state = state_of(*poses(number))
        stored = [{"bytes": encode_jpeg(picture(i)), "path": None} for i in range(T)]
        table = {
            "observation.state": state.tolist(),
            "observation.images.top": stored,
            "observation.images.side": stored,
            "note": ["x"] * T,
            "timestamp": np.arange(T, dtype=np.float32) / 20,
            "frame_index": np.arange(T),
            "episode_index": np.full(T, number),
            "index": np.arange(T) + T * number,
            "task_index": np.full(T, number % 2),
        }
        path = root / f"data/chunk-000/episode_{number:06d}.parquet"
        pa.parquet.write_table(pa.table(table), path)
        rows.append(
            json.dumps({"episode_index": number, "tasks": [tasks[number % 2]], "length": T})
        )
    (root / "meta/episodes.jsonl").write_text("\n".join(rows))
    return root


def write_robot(folder, rate_hz=20, source="achieved", proprio="[ee_pose, gripper]"):
    text = load_embodiment("tabletop_arm").text
    text = text.replace("rate_hz: 10\n", f"rate_hz: {rate_hz}\n", 1)
    text = text.replace("source: commanded", f"source: {source}")
    text = text.replace("max_step_m: 0.05", "max_step_m: 0.02").replace(
        "max_step_rad: 0.2", "max_step_rad: 0.05"
    )
    text = text.replace("proprio: [ee_pose, gripper]", f"proprio: {proprio}")
    wrist = [line for line in text.splitlines(True) if line.startswith("  wrist:")]
    (folder / "robot.yaml").write_text(text.replace(wrist[0], ""))
