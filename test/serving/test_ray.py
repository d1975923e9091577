# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The same policy on a local Ray: the same answers at the same door."""

from __future__ import annotations

import numpy as np
import pytest
import yaml

pytest.importorskip("ray", reason="Ray is not installed: pip install 'evla_ros[fleet]'")
pytest.importorskip("starlette", reason="Ray Serve is not installed: pip install 'evla_ros[fleet]'")
pytest.importorskip("grpc", reason="Ray Serve is not installed: pip install 'evla_ros[fleet]'")

from policy_server import PolicyServer

from evla_ros.embodiment import load_embodiment
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.policy.remote.remote_policy import RemotePolicy
from evla_ros.policy.types import Observation
from evla_ros.serving.errors import RequestError, ServingError
from evla_ros.shared_files import checkpoint_folder, shared_file

pytestmark = pytest.mark.timeout(300)
CIRCLE = ("circle", "--embodiment", "tabletop_arm")


def asked(robot, state):
    image = np.zeros((48, 64, 3), np.uint8)
    return Observation(0, dict.fromkeys(robot.cameras, image), state, "lift the red block")


def test_a_robot_is_answered_through_replicas(question):
    robot = load_embodiment("tabletop_arm")
    with PolicyServer(*CIRCLE, "--engine", "ray") as server:
        assert server.ready["runtime"] == "ray, numpy cpu"
        policy = RemotePolicy(ServerAddress(server.url), robot, 20.0, "raw")
        for _ in range(3):
            assert policy.infer(asked(robot, np.zeros(8, np.float32))).actions.shape == (8, 7)
        assert server.stop() == 0


def test_one_replica_holds_the_policies_of_several_robots():
    pytest.importorskip("torch", reason="the extra 'model' is not installed")
    import ray
    from ray import serve

    from evla_ros.policy.spec import PolicySpec, build_policy
    from evla_ros.serving.ray_app import build

    robots = [load_embodiment(name) for name in ("tabletop_arm", "humanoid_upper_body")]
    checkpoints = {one.content_hash: str(checkpoint_folder(one.name)) for one in robots}
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        serve.start(proxy_location="Disabled")
        handle = serve.run(build({"checkpoints": checkpoints, "threads": 1}), route_prefix=None)
        for robot in robots:
            size = 8 * len(robot.arms)
            question = asked(robot, np.full(size, 0.1, np.float32))
            key = robot.content_hash
            chosen = handle.options(multiplexed_model_id=key)
            assert chosen.describe.remote(key).result(timeout_s=120)["contract"].chunk == 8
            answers = [chosen.infer.remote((key, question)) for _ in range(4)]
            rows = [one.result(timeout_s=120) for one in answers]
            spec = PolicySpec("evla", robot.text, checkpoint=checkpoints[key], threads=1)
            alone = build_policy(spec).infer(question).actions
            for actions in rows:
                np.testing.assert_allclose(actions, alone, atol=1e-5)
        empty = Observation(0, question.images, question.proprio, " ")
        refused = chosen.infer.remote((key, empty)).result(timeout_s=60)
        assert "the instruction is empty" in str(refused)
        assert not isinstance(refused, RequestError)
    finally:
        serve.shutdown()
        ray.shutdown()


def test_the_config_file_is_understood():
    from evla_ros.serving.ray_app import build

    text = shared_file("config", "serving", "ray.yaml").read_text()
    (one,) = yaml.safe_load(text)["applications"]
    assert one["import_path"] == "evla_ros.serving.ray_app:build"
    assert build(one["args"]) is not None
    with pytest.raises(ServingError, match="did you mean 'max_batch'"):
        build({**one["args"], "max_bach": 8})
    with pytest.raises(ServingError, match="checkpoints maps"):
        build({})
