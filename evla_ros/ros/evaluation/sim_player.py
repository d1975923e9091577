# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Play planned episodes through the real nodes: simulated robot, policy and referee, over DDS."""

from __future__ import annotations

from evla_ros.embodiment import parse_embodiment
from evla_ros.errors import EvlaError
from evla_ros.ros.evaluation.client import EvaluationClient
from evla_ros.ros.evaluation.processes import EvaluationProcesses
from evla_ros.sim.evaluation.plan import PlannedEpisode
from evla_ros.sim.evaluation.policies import policy_spec
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.setup import EpisodeJob, Setup
from evla_ros.sim.tasks.task import Task

_START_LIMIT_S = 10.0
_LOAD_LIMIT_S = 180.0


class RosPlayer:
    """Plays episodes through nodes that stay up: each is a reset, a start and a stop."""

    def __init__(self, setup: Setup, speed: float) -> None:
        """Start the nodes.

        Args:
            setup: what the evaluation is about.
            speed: simulated seconds per second of real time.

        Raises:
            EvlaError: a node cannot come up.
        """
        self._rules, self._policy = setup.rules, setup.policy
        self._counted: dict[str, int] = {}
        self._start_s, self._speed = 0.0, speed
        embodiment = parse_embodiment(setup.embodiment_text)
        spec = policy_spec(setup.policy, embodiment, setup.server)
        sim = {
            "world": setup.world,
            "image_size": setup.image_size,
            "randomize": setup.rules.randomize,
            "speed": float(speed),
        }
        decides = {
            "policy": spec.kind,
            "checkpoint": spec.checkpoint,
            "device": setup.device,
            **({"runtime": setup.runtime} if setup.runtime else {}),
            "inference_threads": setup.threads,
            "server": spec.server,
            "token_file": spec.token_file,
            "ca_file": spec.ca_file,
        }
        self._nodes = EvaluationProcesses(embodiment.text, sim, decides)
        try:
            self._client = EvaluationClient(self._nodes.namespace, embodiment, self._nodes.check)
            self._client.wait(lambda: self._client.policy is not None, _LOAD_LIMIT_S, "the policy")
        except BaseException:
            self._nodes.end()
            raise

    def play(self, job: EpisodeJob) -> EpisodeRecord:
        """Play one episode; EvlaError when the robot refuses the reset or a node ends."""
        client, planned = self._client, job.planned
        instruction = planned.task.instruction if isinstance(planned.task, Task) else planned.task
        answer = client.reset(instruction, planned.seed)
        if not answer.success:
            raise EvlaError(f"the simulated robot refused the reset: {answer.message}")
        seed = planned.seed
        client.wait(lambda: _is_of(client, seed), 30.0, "a status of the new episode")
        client.clear()
        self._start_s = 0.0
        if client.sim is not None and client.sim.success:
            return self._record(planned, answer.instruction, Verdict.SOLVED_AT_RESET, "")
        self._counted = _limit_counts(client)
        self._start_s = client.elapsed_s
        refusal = self._start(answer.instruction)
        if refusal:
            return self._record(planned, answer.instruction, Verdict.NO_ACTION, refusal)
        self._start_s = client.elapsed_s
        self._watch()
        verdict, note = self._judge()
        client.stop()
        return self._record(planned, answer.instruction, verdict, note)

    def close(self) -> None:
        """End the nodes."""
        self._client.close()
        self._nodes.end()

    def _start(self, instruction: str) -> str:
        """Start the policy once it has the instruction and fresh inputs; returns why not."""
        client = self._client

        def ready() -> bool:
            return client.policy is not None and client.policy.instruction == instruction

        client.wait(ready, 120.0, "the instruction in the policy's status")
        return client.start_within(_START_LIMIT_S)

    def _watch(self) -> None:
        client, limit_s = self._client, self._rules.max_s

        def over() -> bool:
            sim, policy = client.sim, client.policy
            if sim is None or policy is None:
                return False
            stopped = client.goals > 0 and not policy.started
            return bool(
                sim.succeeded_once or client.elapsed_s - self._start_s >= limit_s or stopped
            )

        patience_s = 60.0 + 10.0 * limit_s / self._speed
        client.wait(over, patience_s, "the end of the episode")

    def _judge(self) -> tuple[Verdict, str]:
        client = self._client
        policy = client.policy
        stopped = policy is not None and not policy.started and policy.last_stop_text
        note = f"stopped: {policy.last_stop_text}" if policy is not None and stopped else ""
        if client.goals == 0:
            return Verdict.NO_ACTION, note or (policy.reason_text if policy is not None else "")
        if client.sim is not None and client.sim.succeeded_once:
            return Verdict.SUCCESS, ""
        return Verdict.FAILURE, note

    def _clipped(self) -> dict[str, int]:
        """Return what each limit clipped since the start; the node counts since activation."""
        return {k: n - self._counted.get(k, 0) for k, n in _limit_counts(self._client).items()}

    def _record(
        self, planned: PlannedEpisode, instruction: str, verdict: Verdict, note: str
    ) -> EpisodeRecord:
        client = self._client
        return EpisodeRecord(
            policy=self._policy,
            task=planned.label,
            seed=planned.seed,
            instruction=instruction,
            verdict=verdict,
            duration_s=round(client.elapsed_s - self._start_s, 6),
            path_m=tuple(round(float(m), 6) for m in client.path_m),
            goals=client.goals,
            limited=client.limited,
            chunks=len(client.inference_ms),
            clipped={k: n for k, n in self._clipped().items() if n},
            holds=dict(client.holds),
            inference_ms=tuple(client.inference_ms),
            note=note,
        )


def _is_of(client: EvaluationClient, seed: int) -> bool:
    return client.sim is not None and client.sim.seed == seed and client.sim.elapsed_s > 0.15


def _limit_counts(client: EvaluationClient) -> dict[str, int]:
    status = client.policy
    if status is None:
        return {}
    return dict(zip(status.limit_names, (int(n) for n in status.limit_counts), strict=True))
