# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ask the policy server from a program that has neither ROS nor evla_ros: openpi's own client.

    evla serve checkpoints/tabletop_arm       # in another terminal, or on the machine with the GPU
    pip install openpi-client
    python examples/server_client.py 127.0.0.1 8000 "lift the red block"

The server says at once what it wants to be asked with; here a grey picture stands for the camera.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from openpi_client.websocket_client_policy import WebsocketClientPolicy


def observation_for(contract: dict, prompt: str) -> dict:
    """Return a question that this server takes, with grey pictures and zeros for the robot."""
    picture = np.full((224, 224, 3), 127, np.uint8)  # RGB, any size
    cameras = {f"observation/{name}": picture for name in contract["cameras"]}
    state = np.zeros(len(contract["proprio_names"]), np.float32)
    return {**cameras, "observation/state": state, "prompt": prompt}


def main(host: str, port: int, prompt: str) -> int:
    """Ask twice, and print what the arm would do."""
    policy = WebsocketClientPolicy(host, port)
    contract = policy.get_server_metadata()
    names, units = contract["action_names"], contract["action_units"]
    print(f"{contract['chunk']} actions an answer, {len(names)} numbers an action")

    for _ in range(2):
        begin = time.perf_counter()
        answer = policy.infer(observation_for(contract, prompt))
        took_ms = 1e3 * (time.perf_counter() - begin)
        actions = np.asarray(answer["actions"])  # [chunk, numbers], in the units of the contract
        print(f"{actions.shape[0]} actions in {took_ms:.0f} ms; the first one:")
        for name, unit, number in zip(names, units, actions[0], strict=True):
            print(f"  {name:16} {number:+.4f} {unit}")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit('name host, port and task: 127.0.0.1 8000 "lift the red block"')
    raise SystemExit(main(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
