# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Meta-World, driven over the wire: this process has the environment, `evla serve` has the policy.

evla serve outputs/metaworld/run/best
python examples/metaworld_client.py reach-v3 --episodes 3     # pip install openpi-client
"""

from __future__ import annotations

import argparse

from openpi_client.websocket_client_policy import WebsocketClientPolicy

from evla_ros.sim.benchmarks.metaworld.world import MetaWorld

parser = argparse.ArgumentParser(description="Play one task of Meta-World with a served policy.")
parser.add_argument("task", help="such as reach-v3")
parser.add_argument("--host", default="127.0.0.1")
parser.add_argument("--port", type=int, default=8000)
parser.add_argument("--episodes", type=int, default=10)
parser.add_argument("--steps", type=int, default=500, help="of an episode, at most")
parser.add_argument("--execute", type=int, default=4, help="steps of a chunk before the next look")
asked = parser.parse_args()

policy = WebsocketClientPolicy(asked.host, asked.port)
world, solved = MetaWorld(), 0
for seed in range(asked.episodes):
    task = world.reset(seed, asked.task)
    chunk: list = []
    for _ in range(asked.steps):
        if not chunk:
            question = {
                **{f"observation/{name}": image for name, image in world.images().items()},
                "observation/state": world.proprio(),
                "prompt": task.instruction,
            }
            chunk = list(policy.infer(question)["actions"][: asked.execute])
        world.apply(chunk.pop(0))
        world.tick()
        if world.succeeded():
            break
    solved += world.succeeded()
    print(f"seed {seed}: {'solved' if world.succeeded() else 'failed'} {task.instruction!r}")
print(f"{asked.task}: {solved}/{asked.episodes}")
