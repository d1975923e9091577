# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The action `~/run`: a task planner's way to let the policy move, and to hear how it goes."""

from __future__ import annotations

import math
from typing import Any

from evla_ros.action import RunPolicy
from evla_ros.control.policy_run import PolicyRun, RunEnd
from evla_ros.control.reasons import Finding, Reason
from evla_ros.errors import EvlaError
from evla_ros.ros import callbacks
from evla_ros.ros.deferred_action import DeferredActionServer, Outcome
from evla_ros.ros.lifecycle import ManagedNode
from evla_ros.ros.policy.run_episode import RunEpisode, RunRecorder
from evla_ros.ros.policy.session import PolicySession

LOOK_S = 0.1


class RunAction:
    """Lives from configure to cleanup; one goal at a time, another one is refused with a sentence.

    A goal passes through: its episode begins (where it is recorded), motion starts, motion ends,
    its episode is kept.
    """

    def __init__(
        self, node: ManagedNode, session: PolicySession, recorder: RunRecorder | None
    ) -> None:
        """Offer the action; recorder: None where the node has none."""
        self._node, self._session, self._recorder = node, session, recorder
        self._server = DeferredActionServer(node, RunPolicy, "~/run", self._on_goal)
        self._goal: Any = None
        self._episode: RunEpisode | None = None
        self._run: PolicyRun | None = None
        self._end: RunEnd | None = None
        self._timer = callbacks.repeat(node, LOOK_S, self._look, self._on_failure)
        self._timer.cancel()

    def abort(self, finding: Finding) -> None:
        """End the run in progress, if there is one: the node cannot go on with it."""
        if self._goal is not None:
            if self._episode is not None and self._episode.ready:
                self._episode.finish("keep")
            now_ns, run = self._session.core.now_ns(), self._run
            elapsed_s = 0.0 if run is None else run.elapsed_s(now_ns)
            self._finish("abort", RunEnd(False, finding, elapsed_s))

    def _on_failure(self, sentence: str) -> None:
        self._session.core.stop(Finding(Reason.POLICY_FAILED, sentence))
        self.abort(Finding(Reason.POLICY_FAILED, sentence))

    def destroy(self) -> None:
        """Take the action back."""
        self.abort(Finding(Reason.UNCONFIGURED))
        self._node.destroy_timer(self._timer)
        self._server.destroy()
        if self._recorder is not None:
            self._recorder.destroy()

    # -- a goal comes --

    def _on_goal(self, goal: Any) -> None:
        try:
            self._refuse_impossible(goal.request)
            if goal.request.instruction:
                self._session.core.set_instruction(goal.request.instruction)
        except EvlaError as error:
            self._answer(goal, "abort", Finding(Reason.NOT_STARTED), str(error))
            return
        self._goal, self._run, self._end, self._episode = goal, None, None, None
        if goal.request.record and self._recorder is not None:
            self._episode = self._recorder.begin(self._session.core.status().instruction)
        self._timer.reset()
        self._look()

    def _refuse_impossible(self, request: Any) -> None:
        """Raise EvlaError with the reason why this goal cannot be run now."""
        core = self._session.core
        if not self._node.active:
            raise EvlaError(Finding(Reason.INACTIVE).text)
        if self._goal is not None:
            raise EvlaError("another run is in progress; cancel it first")
        if core.status().started:
            raise EvlaError("the robot is moving already, by ~/start; call ~/stop first")
        if not (math.isfinite(request.max_duration_s) and request.max_duration_s >= 0.0):
            raise EvlaError(f"max_duration_s {request.max_duration_s} is no time; 0 is no limit")
        own = core.embodiment.content_hash
        if request.contract_hash not in ("", own):
            raise EvlaError(
                f"contract_hash {request.contract_hash[:12]}... is not that of this robot "
                f"({core.embodiment.name}, {own[:12]}...)"
            )
        if request.record and self._recorder is None:
            raise EvlaError("record: true needs the parameter `recorder`, which is empty")

    # -- it is looked after --

    def _look(self) -> None:
        """Move the goal on; called often while there is one."""
        if self._goal is None:
            self._timer.cancel()
        elif self._end is not None:
            self._await_kept_episode(self._end)
        elif self._run is None:
            self._await_episode()
        else:
            self._watch(self._run)

    def _await_episode(self) -> None:
        episode = self._episode
        if episode is None:
            self._start()
            return
        episode.look()
        if episode.problem:
            self._finish("abort", _not_started(episode.problem))
        elif self._goal.is_cancel_requested:
            self._over(RunEnd(True, Finding(Reason.RUN_ENDED, "cancelled"), 0.0), "discard")
        elif episode.ready:
            self._start()

    def _start(self) -> None:
        refusal = self._session.start_motion()
        if refusal is not None:
            self._over(RunEnd(False, refusal, 0.0), "discard")
            return
        self._run = PolicyRun(self._session.core.now_ns(), self._goal.request.max_duration_s)
        self._watch(self._run)

    def _watch(self, run: PolicyRun) -> None:
        core = self._session.core
        status = core.status()
        if self._goal.is_cancel_requested:
            run.cancel()
        stop = status.last_stop
        step = run.look(
            status.now_ns,
            started=status.started,
            at_rest=core.at_rest,
            last_stop=None if stop is None else stop.finding,
        )
        if step.stop is not None:
            core.stop(step.stop)
        if step.end is not None:
            self._over(step.end, "keep")
            return
        teleop = status.finding.reason is Reason.TELEOP
        feedback = RunPolicy.Feedback(
            reason=int(status.finding.reason),
            text=status.finding.text,
            elapsed_s=run.elapsed_s(status.now_ns),
            chunk_sequence=max(0, status.chunks - 1),
            source="policy" if status.moving else "teleop" if teleop else "hold",
        )
        self._goal.publish_feedback(feedback)

    def _over(self, end: RunEnd, service: str) -> None:
        """Motion has ended, or never began: the episode is what is left to end."""
        self._end = end
        if self._episode is not None and not self._episode.over:
            self._episode.finish(service)
        self._await_kept_episode(end)

    def _await_kept_episode(self, end: RunEnd) -> None:
        episode = self._episode
        if episode is not None:
            episode.look()
            if not episode.over:
                return
        outcome: Outcome = "abort"
        if end.success and not (episode is not None and episode.problem):
            outcome = "canceled" if self._goal.is_cancel_requested else "succeed"
        self._finish(outcome, end)

    # -- it ends --

    def _finish(self, outcome: Outcome, end: RunEnd) -> None:
        goal, episode = self._goal, self._episode
        self._goal = self._run = self._end = self._episode = None
        self._timer.cancel()
        text, kept = end.finding.text, ""
        if episode is not None:
            kept = episode.episode_id if episode.kept else ""
            text = f"{text} {episode.problem}".strip() if episode.problem else text
        self._answer(goal, outcome, end.finding, text, elapsed_s=end.elapsed_s, episode_id=kept)

    def _answer(
        self, goal: Any, outcome: Outcome, finding: Finding, text: str, **fields: Any
    ) -> None:
        self._node.get_logger().info(f"run: {outcome}: {text}")
        result = RunPolicy.Result(
            success=outcome != "abort", reason=int(finding.reason), text=text, **fields
        )
        self._server.finish(goal, outcome, result)


def _not_started(why: str) -> RunEnd:
    return RunEnd(False, Finding(Reason.NOT_STARTED, why), 0.0)
