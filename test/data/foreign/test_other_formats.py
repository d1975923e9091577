# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""HDF5 (ALOHA, robomimic) and UMI's zarr, and poses from joints through a URDF."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from foreign_sets import SIZE, T, motion, picture, state_of, write_robot

from evla_ros.data.foreign.importing import import_dataset, open_foreign
from evla_ros.data.foreign.poses import quaternions
from evla_ros.data.foreign.source import ForeignError
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.geometry import rotation
from evla_ros.geometry.delta import delta_between

LIMIT = '<limit lower="-3" upper="3" effort="1" velocity="1"/>'
URDF = f"""<robot name="two">
  <link name="base"/><link name="a"/><link name="b"/><link name="tool"/>
  <joint name="shoulder" type="revolute"><parent link="base"/><child link="a"/>
    <origin xyz="0 0 0.1"/><axis xyz="0 0 1"/>{LIMIT}</joint>
  <joint name="elbow" type="revolute"><parent link="a"/><child link="b"/>
    <origin xyz="0.3 0 0"/><axis xyz="0 0 1"/>{LIMIT}</joint>
  <joint name="wrist" type="fixed"><parent link="b"/><child link="tool"/>
    <origin xyz="0.2 0 0"/></joint>
</robot>"""


def write_map(folder, **content):
    path = folder / "map.yaml"
    path.write_text(yaml.safe_dump({"embodiment": "robot.yaml", "rate_hz": 20.0, **content}))
    return path


def episodes_of(report):
    dataset = RldsDataset.open(report.path)
    found = [dataset.episode(s, i) for s, n in dataset.splits.items() for i in range(n)]
    return {episode.episode_id: episode for episode in found}


def aloha(folder, encoded):
    h5py = pytest.importorskip("h5py", reason="pip install 'evla_ros[hdf5]'")
    folder.mkdir()
    for number in (0, 1, 10):
        angles = np.linspace(0.1, 0.6, T)[:, None] * [1.0, -0.5 - 0.01 * number]
        with h5py.File(folder / f"episode_{number}.hdf5", "w") as file:
            file.attrs["sim"] = False
            file["observations/qpos"] = np.concatenate([angles, np.linspace(0, 1, T)[:, None]], 1)
            file["action"] = np.zeros((T, 14))
            file["observations/odd"] = np.zeros((3, 2))
            frames = [picture(i) for i in range(T)]
            if encoded:
                data = [np.frombuffer(encode_jpeg(frame), np.uint8) for frame in frames]
                padded = np.zeros((T, max(map(len, data))), np.uint8)
                for row, one in zip(padded, data, strict=True):
                    row[: len(one)] = one
                file["observations/images/top"] = padded
            else:
                file["observations/images/top"] = np.stack(frames)
    return folder


@pytest.mark.parametrize("encoded", [False, True])
def test_aloha_joints_become_poses_through_a_urdf(tmp_path, encoded):
    pytest.importorskip("pytransform3d", reason="pip install 'evla_ros[urdf]'")
    folder = aloha(tmp_path / "aloha", encoded)
    write_robot(tmp_path)
    (tmp_path / "two.urdf").write_text(URDF)
    chain = {"joints": "observations/qpos[0:2]", "urdf": "two.urdf",
             "names": ["shoulder", "elbow"], "frames": ["base", "tool"]}  # fmt: skip
    mapped = {
        "cameras": {"primary": "observations/images/top"},
        "instruction": "open the drawer",
        "arms": {"arm": {
            "pose": {"kinematics": chain},
            "gripper": {"column": "observations/qpos[2]", "open": 1.0, "closed": 0.0}}},
    }  # fmt: skip
    assert len(open_foreign(folder)) == 3
    made = import_dataset(folder, tmp_path / "out", write_map(tmp_path, **mapped), "x", None, SIZE)
    assert any("observations/odd" in note for note in made.notes)
    episodes = episodes_of(made.report)
    assert set(episodes) == {"episode_0", "episode_1", "episode_10"}
    episode = episodes["episode_10"]
    a, b = 0.1 + 0.5 * 3 / (T - 1), (0.1 + 0.5 * 3 / (T - 1)) * -0.6
    where = [0.3 * np.cos(a) + 0.2 * np.cos(a + b), 0.3 * np.sin(a) + 0.2 * np.sin(a + b), 0.1]
    assert np.allclose(episode.observations["state"][3, :3], where, atol=1e-6)
    turn = 0.4 * 0.5 / (T - 1)
    assert np.allclose(episode.action[:, 3:6], [0, 0, turn], atol=1e-6)
    assert episode.instruction == "open the drawer"

    broken = {**chain, "names": ["shoulder", "elbo"]}
    mapped["arms"]["arm"]["pose"]["kinematics"] = broken
    with pytest.raises(ForeignError, match="no moving joint 'elbo'; did you mean 'elbow'"):
        import_dataset(folder, tmp_path / "o2", write_map(tmp_path, **mapped), "x", None, SIZE)
    mapped["arms"]["arm"]["pose"]["kinematics"] = {**chain, "frames": ["base", "tol"]}
    with pytest.raises(ForeignError, match="no frame 'tol'"):
        import_dataset(folder, tmp_path / "o2", write_map(tmp_path, **mapped), "x", None, SIZE)
    (tmp_path / "two.urdf").write_text(URDF.replace('upper="3"', 'upper="0.2"'))
    mapped["arms"]["arm"]["pose"]["kinematics"] = chain
    with pytest.raises(ForeignError, match="'shoulder' goes from 0.1 to 0.6, the URDF allows"):
        import_dataset(folder, tmp_path / "o2", write_map(tmp_path, **mapped), "x", None, SIZE)
    (tmp_path / "two.urdf").write_text("<robot")
    with pytest.raises(ForeignError, match="is no URDF"):
        import_dataset(folder, tmp_path / "o2", write_map(tmp_path, **mapped), "x", None, SIZE)


def test_robomimic_demos_of_one_file(tmp_path):
    h5py = pytest.importorskip("h5py", reason="pip install 'evla_ros[hdf5]'")
    write_robot(tmp_path)
    with h5py.File(tmp_path / "low.hdf5", "w") as file:
        for number in (0, 1, 2, 10):
            poses, openings = motion(number)
            group = file.create_group(f"data/demo_{number}")
            group["actions"] = np.zeros((T, 7))
            group["obs/robot0_eef_pos"] = np.array([p.position_m for p in poses])
            group["obs/robot0_eef_quat"] = np.array([p.quaternion_xyzw for p in poses])
            group["obs/grip"] = openings
            group["obs/agentview_image"] = np.stack([picture(i) for i in range(T)])
            group.attrs["success"] = number != 2
        file["data"].attrs["task"] = "lift the cube"
    mapped = {
        "cameras": {"primary": "obs/agentview_image"},
        "arms": {"arm": {
            "pose": {"position": "obs/robot0_eef_pos", "rotation": "obs/robot0_eef_quat",
                     "rotation_as": "quaternion_xyzw"},
            "gripper": {"column": "obs/grip", "open": 1.0, "closed": 0.0}}},
    }  # fmt: skip
    made = import_dataset(
        tmp_path / "low.hdf5", tmp_path / "out", write_map(tmp_path, **mapped), "x", None, SIZE
    )
    assert any("1 episodes are failures" in note for note in made.notes)
    episodes = episodes_of(made.report)
    assert set(episodes) == {"low_demo_0", "low_demo_1", "low_demo_10"}
    poses, _ = motion(10)
    expected = delta_between(poses[4], poses[5])
    assert np.allclose(episodes["low_demo_10"].action[4, :6], expected, atol=1e-6)
    assert episodes["low_demo_1"].instruction == "lift the cube"
    assert set(episodes_of(made.report.failures)) == {"low_demo_2"}


def test_umi_buffer(tmp_path):
    zarr = pytest.importorskip("zarr", reason="pip install 'evla_ros[umi]'")
    write_robot(tmp_path)
    root = zarr.open_group(tmp_path / "cup.zarr", mode="w", zarr_format=2)
    both = [motion(0), motion(1, 2 * T)]
    states = np.concatenate([state_of(*one) for one in both])
    data = {
        "camera0_rgb": np.stack([picture(i % T) for i in range(3 * T)]),
        "robot0_eef_pos": states[:, :3] / 1000,
        "robot0_eef_rot_axis_angle": states[:, 3:6],
        "robot0_gripper_width": states[:, 6:] / 1250,
        "robot0_demo_start_pose": np.zeros((3 * T, 6)),
        "short": np.zeros((4, 2)),
    }
    for name, values in data.items():
        root.create_array(f"data/{name}", data=values)
    root.create_array("meta/episode_ends", data=np.array([T, 3 * T]))
    mapped = {
        "cameras": {"primary": "camera0_rgb"},
        "instruction": "serve the cup",
        "ignore": ["robot0_demo_start_pose"],
        "arms": {"arm": {
            "pose": {"position": "robot0_eef_pos", "rotation": "robot0_eef_rot_axis_angle",
                     "rotation_as": "axis_angle"},
            "gripper": {"column": "robot0_gripper_width", "open": 0.08, "closed": 0.0}}},
    }  # fmt: skip
    made = import_dataset(
        tmp_path / "cup.zarr", tmp_path / "out", write_map(tmp_path, **mapped), "x", None, SIZE
    )
    assert any("short" in note for note in made.notes)
    assert not any("demo_start" in note for note in made.notes)
    episodes = episodes_of(made.report)
    assert [len(episodes[f"episode_{i:06d}"]) for i in (0, 1)] == [T - 1, 2 * T - 1]
    poses, _ = both[1]
    found = episodes["episode_000001"].action[9, :6]
    assert np.allclose(found, delta_between(poses[9], poses[10]), atol=1e-5)
    root["meta/episode_ends"][:] = np.array([T, T])
    with pytest.raises(ForeignError, match="does not rise"):
        open_foreign(tmp_path / "cup.zarr")


def test_a_damaged_file_is_named(tmp_path):
    pytest.importorskip("h5py", reason="pip install 'evla_ros[hdf5]'")
    (tmp_path / "a.hdf5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 30)
    with pytest.raises(ForeignError, match="is no sound HDF5"):
        open_foreign(tmp_path / "a.hdf5")
    with pytest.raises(ForeignError, match="is no dataset that can be imported"):
        open_foreign(tmp_path / "..")
    with pytest.raises(ForeignError, match="there is no"):
        open_foreign(tmp_path / "none")


def test_every_way_to_write_a_rotation():
    rng = np.random.default_rng(0)
    turns = rotation.normalize(rng.normal(size=(50, 4)))
    matrices = rotation.to_matrix(turns)
    written = {
        "rpy": rotation.to_rpy(turns),
        "axis_angle": rotation.to_rotvec(turns),
        "quaternion_xyzw": turns,
        "quaternion_wxyz": turns[:, [3, 0, 1, 2]],
        "matrix": matrices.reshape(-1, 9),
        "rotation_6d_rows": matrices[:, :2, :].reshape(-1, 6),
        "rotation_6d_columns": matrices[:, :, :2].transpose(0, 2, 1).reshape(-1, 6),
    }
    for kind, values in written.items():
        found = quaternions(values, kind, "here")
        assert rotation.angle_between(found, turns).max() < 1e-6, kind
    with pytest.raises(ForeignError, match="holds no rotation matrix"):
        quaternions(np.ones((2, 9)), "matrix", "here")
