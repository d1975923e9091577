# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An unchanged client of openpi gets metadata, chunks and sentences."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip(
    "openpi_client.websocket_client_policy",
    reason="openpi-client is not installed: pip install --no-deps openpi-client==0.1.2",
)

from openpi_client import websocket_client_policy as client
from policy_server import PolicyServer

from evla_ros.embodiment import load_embodiment
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.remote.contract import contract_of
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Observation
from evla_ros.serving.keys import gripper_columns, notes, own_keys, read_keys, told_in
from evla_ros.shared_files import checkpoint_folder


def openpi(server: PolicyServer, **options):
    return client.WebsocketClientPolicy("127.0.0.1", server.port, **options)


def get(server: PolicyServer, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}{path}", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_metadata_say_what_a_robot_has_to_know(server):
    metadata = openpi(server).get_server_metadata()
    assert metadata["cameras"] == ["primary", "wrist"]
    assert metadata["proprio_dim"] == 8
    assert metadata["proprio_names"][0] == "arm_x"
    assert metadata["action_names"][-1] == "arm_gripper"
    assert metadata["action_units"] == ["m", "m", "m", "rad", "rad", "rad", "1"]
    assert (metadata["chunk"], metadata["rate_hz"]) == (8, 10.0)
    assert len(metadata["contract_hash"]) == 64
    assert metadata["model"] == "circle"
    assert metadata["runtime"] == "numpy cpu"


def test_an_unchanged_client_gets_chunks(server, question):
    policy = openpi(server)
    for _ in range(3):
        answer = policy.infer(question)
        assert answer["actions"].shape == (8, 7)
        assert answer["server_timing"]["total_ms"] >= answer["policy_timing"]["infer_ms"]


def test_a_bad_question_gets_a_sentence_and_the_next_one_an_answer(server, question):
    policy = openpi(server)
    wrong = [
        ({"prompt": "x"}, "no image 'observation/primary'"),
        ({**question, "observation/wrist": np.zeros((3, 48, 64), np.uint8)}, r"\[3, 48, 64\]"),
        ({**question, "observation/wrist": np.zeros((48, 64, 3), np.float32)}, "float32"),
        ({**question, "observation/wrist": b"\xff\xd8 no jpeg"}, "observation/wrist"),
        ({**question, "observation/wrist": b"GIF89a"}, "no JPEG"),
        ({**question, "observation/state": np.zeros(7)}, "7 numbers; the policy takes 8"),
        ({**question, "observation/state": np.full(8, np.nan)}, "not finite"),
        ({**question, "prompt": "  "}, "no instruction"),
        ({**question, "prompt": 7}, "no instruction"),
        ({**question, "deadline_ms": -1}, "deadline_ms -1"),
    ]
    for message, sentence in wrong:
        with pytest.raises(RuntimeError, match=sentence) as error:
            policy.infer(message)
        assert "Traceback" not in str(error.value)
        assert str(error.value).count("\n") == 1  # the client's own line, then ours
    assert policy.infer(question)["actions"].shape == (8, 7)


def test_a_checkpoint_answers_as_it_does_in_process(tmp_path):
    pytest.importorskip("torch", reason="the extra 'model' is not installed")
    robot, folder = load_embodiment("tabletop_arm"), checkpoint_folder("tabletop_arm")
    local = build_policy(PolicySpec("evla", robot.text, checkpoint=str(folder)))
    random = np.random.default_rng(1)
    images = {name: random.integers(0, 255, (120, 160, 3), np.uint8) for name in robot.cameras}
    state = np.array([0.4, 0, 0.3, 0, 1, 0, 0, 1], np.float32)
    expected = local.infer(Observation(0, images, state, "lift the red block")).actions
    with PolicyServer(str(folder)) as server:
        message = {f"observation/{name}": image for name, image in images.items()}
        message |= {"observation/state": state, "prompt": "lift the red block"}
        policy = openpi(server)
        assert "torch float32 cpu" in policy.get_server_metadata()["runtime"]
        np.testing.assert_allclose(policy.infer(message)["actions"], expected, atol=1e-6)
        assert server.stop() == 0


def test_health_and_counters(server, question):
    openpi(server).infer(question)
    assert get(server, "/healthz") == (200, "OK\n")
    status, text = get(server, "/metrics")
    assert status == 200
    assert 'evla_requests_total{outcome="answered"}' in text
    assert "evla_inference_seconds_bucket" in text
    assert "process_resident_memory_bytes" in text
    status, text = get(server, "/secrets")
    assert (status, "nothing is served on /secrets" in text) == (404, True)


def test_a_connection_is_one_line_of_json(server, question):
    before = len([one for one in server.events if one["event"] == "connection"])
    policy = openpi(server)
    policy.infer(question)
    policy._ws.close()
    line = server.wait_for("connection", count=before + 1)
    assert (line["requests"], line["late"], line["refused"]) == (1, 0, 0)
    assert line["code"] == 1000
    json.dumps(line)


@pytest.mark.parametrize(
    ("keys", "open_and_closed", "message"),
    [
        (
            "libero",
            (-1.0, 1.0),
            {
                "observation/image": np.zeros((224, 224, 3), np.uint8),
                "observation/wrist_image": np.zeros((224, 224, 3), np.uint8),
                "observation/state": np.zeros(8),
                "prompt": "put the bowl on the plate",
            },
        ),
        (
            "droid",
            (0.0, 1.0),
            {
                "observation/exterior_image_1_left": np.zeros((224, 224, 3), np.uint8),
                "observation/wrist_image_left": np.zeros((224, 224, 3), np.uint8),
                "observation/joint_position": np.zeros(7),
                "observation/gripper_position": np.zeros(1),
                "prompt": "pick up the cup",
            },
        ),
    ],
)
def test_shipped_maps_take_the_questions_of_openpis_examples(keys, open_and_closed, message):
    """And answer as those examples take it: what is open here is -1 or 0 there."""
    arguments = ("hold", "--embodiment", "tabletop_arm", "--keys", keys)
    with PolicyServer(*arguments) as server:
        policy = openpi(server)
        actions = policy.infer(message)["actions"]
        assert actions.shape == (8, 7)
        assert not actions[:, :6].any()
        np.testing.assert_allclose(actions[:, 6], np.mean(open_and_closed))  # `hold` says half open
        low, high = (f"{value:g}" for value in open_and_closed)
        units = policy.get_server_metadata()["action_units"]
        assert units[6] == f"open {low}, closed {high}"


@pytest.mark.parametrize(
    ("keys", "told"), [("libero", [-1, 1]), ("droid", [0, 1]), ("aloha", [1, 0]), ("", [1, 0])]
)
def test_open_and_closed_are_told_as_the_client_takes_them(keys, told):
    cameras = ("primary",)
    robot = contract_of(load_embodiment("tabletop_arm"), cameras, proprio=False)
    unknown = replace(robot, embodiment="", action_names=tuple(f"action_{n}" for n in range(7)))
    actions = np.zeros((2, 7))
    actions[0, 6] = 1.0  # open, then closed
    for contract in (robot, unknown):
        named = read_keys(keys, cameras) if keys else own_keys(cameras)
        seen = told_in(named, gripper_columns(contract), actions)
        np.testing.assert_array_equal(seen[:, 6], told)
        np.testing.assert_array_equal(seen[:, :6], actions[:, :6])


def test_what_numbers_mean_there_and_here_is_said_since_nothing_checks_it():
    """Seven joints and a gripper are eight numbers, and so are a pose and a gripper."""
    arguments = ("hold", "--embodiment", "tabletop_arm", "--keys", "droid")
    with PolicyServer(*arguments) as server:
        end_s = time.monotonic() + 10
        while len(server.errors) < 3 and time.monotonic() < end_s:
            time.sleep(0.01)
        said = "\n".join(server.errors)
    assert "state: these clients send seven joint positions [rad] and the gripper; " in said
    assert "actions: these clients take seven joint velocities and the gripper; the policy " in said
    robot = contract_of(load_embodiment("tabletop_arm"), ("primary",), proprio=False)
    assert notes(own_keys(("primary",)), robot) == []
    (actions, gripper) = notes(read_keys("libero", ("primary",)), replace(robot, embodiment=""))
    assert actions.startswith("actions: ")
    assert "the last number of an action is taken for it" in gripper


def test_a_robot_of_ours_does_not_misread_grippers_that_are_told_in_other_numbers(tmp_path):
    """It asks with its own keys; a map file may have those and tell grippers differently."""
    keys = tmp_path / "keys.yaml"
    keys.write_text(
        "cameras: {primary: {key: observation/primary}, wrist: {key: observation/wrist}}\n"
        "gripper: {open: -1, closed: 1}\n"
    )
    robot = load_embodiment("tabletop_arm")
    with PolicyServer("hold", "--embodiment", "tabletop_arm", "--keys", str(keys)) as server:
        spec = PolicySpec("remote", robot.text, server=f"ws://127.0.0.1:{server.port}")
        with pytest.raises(PolicyError, match=r"action units: .*open -1, closed 1"):
            build_policy(spec)


def test_the_map_of_aloha_looks_into_nested_maps_of_turned_images():
    cameras = ("cam_high", "cam_left_wrist", "cam_right_wrist")
    message = {
        "images": {name: np.zeros((3, 224, 224), np.uint8) for name in cameras},
        "state": np.zeros(16),
        "prompt": "uncap the pen",
    }
    arguments = ("hold", "--embodiment", "humanoid_upper_body", "--keys", "aloha")
    with PolicyServer(*arguments) as server:
        assert openpi(server).infer(message)["actions"].shape == (8, 14)
        message["images"]["cam_high"] = np.zeros((224, 224, 3), np.uint8)
        with pytest.raises(RuntimeError, match=r"images/cam_high.*\[3, height, width\]"):
            openpi(server).infer(message)


def test_the_dialect_of_roboarena(question):
    with PolicyServer("hold", "--embodiment", "tabletop_arm", "--dialect", "roboarena") as server:
        policy = openpi(server)
        assert policy.infer({**question, "endpoint": "infer"}).shape == (8, 7)
        with pytest.raises(RuntimeError, match="reset successful"):  # text, as its client reads it
            policy.infer({"endpoint": "reset"})
        with pytest.raises(RuntimeError, match="endpoint 'kill'"):
            policy.infer({**question, "endpoint": "kill"})


def test_the_dialect_of_vllm(question):
    with PolicyServer("hold", "--embodiment", "tabletop_arm", "--dialect", "vllm") as server:
        url = f"ws://127.0.0.1:{server.port}/v1/realtime/robot/openpi"
        policy = client.WebsocketClientPolicy(url)
        assert policy.infer({**question, "endpoint": "infer"})["actions"].shape == (8, 7)
        assert policy.infer({"endpoint": "reset"}) == {"status": "reset successful"}
        assert policy.infer({"endpoint": "infer"})["type"] == "error"


def test_a_default_instruction_stands_in(question):
    del question["prompt"]
    with PolicyServer("hold", "--embodiment", "tabletop_arm", "--prompt", "wait") as server:
        assert openpi(server).infer(question)["actions"].shape == (8, 7)


def test_sigterm_answers_what_is_under_way_and_says_goodbye(question):
    with PolicyServer("hold", "--embodiment", "tabletop_arm") as server:
        policy = openpi(server)
        policy.infer(question)
        assert server.stop() == 0
        assert server.wait_for("connection")["code"] == 1001
        assert server.wait_for("ended")["broken"] is False
