# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Meta-World behind our interface: facts, actions, scenes, scores by group, the command."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from evla_ros.cli.main import main
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.recipes.simulated_data.dataset import collect_dataset
from evla_ros.recipes.simulated_data.objects import object_positions, place_in_picture
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.sim.benchmarks.metaworld.environment import make_environment
from evla_ros.sim.benchmarks.metaworld.published import PUBLISHED
from evla_ros.sim.benchmarks.metaworld.score import group_scores, means
from evla_ros.sim.benchmarks.metaworld.suite import from_metaworld, to_metaworld
from evla_ros.sim.benchmarks.metaworld.table import comparable, published_table, summary_table
from evla_ros.sim.benchmarks.metaworld.tasks import GROUPS, TASKS, tasks_of
from evla_ros.sim.benchmarks.metaworld.world import MetaWorld
from evla_ros.sim.errors import SimError
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.experts.style import Style
from evla_ros.sim.projection import Cut
from evla_ros.sim.worlds import make_any_world, make_world

ROOT = Path(__file__).resolve().parents[3]
needs_metaworld = pytest.mark.skipif(
    "not __import__('importlib').util.find_spec('metaworld')",
    reason="Meta-World is not installed: pip install 'evla_ros[metaworld]'",
)


def test_fifty_tasks_in_four_groups_each_with_words_of_its_own():
    sizes = {group: sum(t.group == group for t in TASKS.values()) for group in GROUPS}
    assert sizes == {"easy": 28, "medium": 11, "hard": 6, "very_hard": 5}
    assert len({task.instruction for task in TASKS.values()}) == 50


def test_tasks_groups_and_all_can_be_named():
    assert tasks_of(["reach", "push-v3", "reach-v3"]) == ("reach-v3", "push-v3")
    assert len(tasks_of(["mt50"])) == 50
    assert "shelf-place-v3" in tasks_of(["very_hard"])
    with pytest.raises(SimError, match="no task or group 'raech' .* did you mean 'reach-v3'"):
        tasks_of(["raech"])


@needs_metaworld
@pytest.mark.parametrize("name", ["pick-place-v3", "door-open-v3", "stick-pull-v3"])
def test_it_goes_on_from_a_saved_state_as_if_nothing_had_been_tried(name):
    world = MetaWorld(image_size=16)
    task = world.reset(3, name)

    def play(steps):
        expert, seen = world.suite.expert(world, task, Style()), []
        for _ in range(steps):
            world.apply(expert.act())
            world.tick()
            seen.append([*world.observation, world.succeeded(task), world.time_ns])
        return np.array(seen)

    play(40)
    state = world.save_state()
    first = play(30)
    world.load_state(state)
    np.testing.assert_array_equal(play(30), first)
    world.close()


def test_published_means_are_those_of_their_groups():
    rows = [row for row in PUBLISHED if row.easy is not None]
    assert len(rows) == 6
    for row in rows:
        mean = np.mean([row.easy, row.medium, row.hard, row.very_hard])
        assert mean == pytest.approx(row.mean_of_groups, abs=0.11), row.policy
    assert "ProgVLA, 0.1 B |  |  |  |  | 78.5" in published_table()


def test_the_page_shows_the_published_rows():
    page = (ROOT / "docs" / "metaworld.md").read_text()
    for row in PUBLISHED:
        groups = (row.easy, row.medium, row.hard, row.very_hard)
        cells = ["" if rate is None else f" {rate:.1f}" for rate in groups]
        line = f"| {row.policy} |{' |'.join(cells)} | {row.mean_of_groups:.1f} |"
        assert line in page, line


def test_an_action_is_metres_and_an_opening_and_comes_back():
    action = np.array([1.0, -0.5, 0.25, -1.0])
    ours = from_metaworld(action)
    assert ours == pytest.approx([0.01, -0.005, 0.0025, 0, 0, 0, 1.0])
    assert to_metaworld(ours) == pytest.approx(action)
    turned = ours + np.array([0, 0, 0, 0.1, 0.1, 0.1, 0])
    assert to_metaworld(turned) == pytest.approx(action)
    assert to_metaworld(ours * 5)[:3] == pytest.approx([1.0, -1.0, 1.0])


def _records(solved: dict[str, int], trials: int = 10, policy: str = "p") -> list[EpisodeRecord]:
    return [
        EpisodeRecord(
            policy, task, i, "", Verdict.SUCCESS if i < count else Verdict.FAILURE, 1.0, goals=5
        )
        for task, count in solved.items()
        for i in range(trials)
    ]


def test_the_mean_of_groups_weighs_groups_and_the_mean_of_tasks_tasks():
    solved = {name: 10 if task.group == "easy" else 0 for name, task in TASKS.items()}
    records = _records(solved)
    of_tasks, of_groups = means(records)
    assert (of_tasks.name, of_tasks.rate) == ("mean of tasks", pytest.approx(28 / 50))
    assert (of_groups.name, of_groups.rate) == ("mean of groups", pytest.approx(1 / 4))
    for mean in (of_tasks, of_groups):
        assert mean.interval[0] < mean.rate < mean.interval[1]
    assert comparable(records) == ""
    assert "| p | 100.0 (98.6-100.0) | 0.0 (0.0-3.4) |" in summary_table(records)
    assert "3 of 50 tasks" in comparable(_records({"reach-v3": 1, "push-v3": 0, "sweep-v3": 0}))


def test_the_interval_of_the_mean_of_groups_holds_the_truth_about_as_often_as_it_says():
    truth = {"easy": 0.8, "medium": 0.5, "hard": 0.4, "very_hard": 0.3}
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(100):
        drawn = {n: int(rng.binomial(10, truth[t.group])) for n, t in TASKS.items()}
        low, high = means(_records(drawn))[1].interval
        hits += low <= np.mean(list(truth.values())) <= high
    assert 88 <= hits <= 100
    assert [s.task for s in group_scores(_records({"push-v3": 4}))] == ["hard"]


def test_without_metaworld_a_sentence_says_how_to_get_it(monkeypatch, capsys):
    for name in ("metaworld", "metaworld.env_dict"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(SimError, match=r"Meta-World is not installed: pip install 'evla_ros"):
        make_environment("reach-v3")
    assert main(["eval", "metaworld", "--tasks", "reach"]) == 2
    assert "Meta-World is not installed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--tasks", "reach", "--group", "hard"], "--group hard and --tasks exclude each other"),
        (["--tasks", "reach,raech"], "did you mean 'reach-v3'"),
        (["--group", "harder"], "harder"),
        (["--policy", "nowhere/at/all"], "no policy 'nowhere/at/all'"),
        (["--seed", "1000000"], "999999"),
    ],
)
@needs_metaworld
def test_bad_input_is_named_in_a_sentence(capsys, words, sentence):
    assert main(["eval", "metaworld", *words]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error


def test_a_checkpoint_of_another_robot_is_refused(tmp_path, capsys):
    from evla_ros.embodiment import load_embodiment

    (tmp_path / "embodiment.yaml").write_text(load_embodiment("tabletop_arm").text)
    assert main(["eval", "metaworld", "--tasks", "reach", "--policy", str(tmp_path)]) == 2
    assert "is for the robot 'tabletop_arm'" in capsys.readouterr().err


def test_the_ordinary_commands_say_where_metaworld_is(capsys):
    with pytest.raises(SimError, match="scored by `evla eval metaworld`"):
        make_world("metaworld")


@pytest.fixture(scope="module")
def world():
    pytest.importorskip("metaworld", reason="Meta-World is not installed")
    world = make_any_world("metaworld", image_size=64)
    yield world
    world.close()


def test_a_seed_decides_the_scene_and_another_seed_another(world: MetaWorld):
    places = []
    for seed in (3, 3, 4):
        world.reset(seed, "push-v3")
        places.append(np.concatenate([*world.places().values()]))
    assert np.array_equal(places[0], places[1])
    assert np.abs(places[0] - places[2]).max() > 0.01
    with pytest.raises(SimError, match="no plain scenes"):
        world.reset(3, "push-v3", randomize=False)


def test_the_picture_is_upright_and_shows_things_where_they_are(world: MetaWorld, backend):
    task = world.reset(5, "push-v3")
    assert task.instruction == "push the puck to a goal"
    image = world.observe().images["primary"].astype(int)
    hand = object_positions(world)["gripper"]
    low, high = (place_in_picture(world, "primary", hand + np.array([0, 0, z])) for z in (0.0, 0.1))
    assert high[1] < low[1]
    right, down = place_in_picture(world, "primary", world.places()["goal"]) * 64
    red, green, blue = image[int(down) - 1 : int(down) + 2, int(right) - 1 : int(right) + 2].max(
        axis=(0, 1)
    )
    assert green > red + 40  # the goal is a green ball, the table brown
    assert green > blue + 40


def test_both_pictures_are_parts_of_the_published_cameras(world: MetaWorld, backend):
    """A picture of 480 px, as others draw it, holds in these parts what ours show."""
    world.reset(5, "assembly-v3")
    whole = world.render("corner2", 480, 480).astype(float)
    for camera, picture in world.images().items():
        cut = world.cut(camera)
        left, top, side = (round(480 * v) for v in (cut.left, cut.top, cut.size))
        part = whole[top : top + side, left : left + side]
        rows = (np.arange(64) * side / 64).astype(int)
        apart = np.abs(part[rows][:, rows] - picture).mean()
        elsewhere = np.abs(np.roll(part, 12, axis=1)[rows][:, rows] - picture).mean()
        assert apart < 0.5 * elsewhere, camera
    fingers = object_positions(world)["gripper"] - np.array([0.0, 0.0, 0.07])
    assert place_in_picture(world, "hand", fingers) == pytest.approx([0.5, 0.5])


def test_a_cut_stays_within_the_picture():
    cut = Cut.around(np.array([0.98, 0.5]), 0.2)
    assert (cut.left, cut.top) == pytest.approx((0.8, 0.4))
    assert cut.place(np.array([0.9, 0.45])) == pytest.approx([0.5, 0.25])


def test_an_action_moves_the_hand_by_its_metres_and_rubbish_is_counted(world: MetaWorld):
    world.reset(0, "reach-v3")
    before = world.proprio()
    assert before.shape == (8,)
    for _ in range(12):
        world.apply([0.01, 0, 0, 0, 0, 0, 1.0])
        world.tick()
    moved = world.proprio()[:3] - before[:3]
    assert 0.06 < moved[0] < 0.13
    assert abs(moved[1]) < 0.02
    assert not world.apply([np.nan] * 7)
    assert world.rejected_commands == 1
    with pytest.raises(SimError, match=r"shape \(4,\); this world takes \[7\]"):
        world.apply([0.0] * 4)
    assert world.time_ns == 12 * 12_500_000


@needs_metaworld
def test_the_expert_is_scored_filmed_and_reported(tmp_path, capsys, backend):
    out = tmp_path / "eval"
    words = ["--tasks", "window-open,button-press", "--episodes", "2", "--out", str(out)]
    assert main(["eval", "metaworld", *words, "--videos", "--image-size", "32"]) == 0
    printed = capsys.readouterr().out
    assert "| button-press-v3 | easy | 2/2 (34-100 %) |" in printed
    assert "2 of 50 tasks were played" in printed
    assert printed.endswith("next: evla train metaworld outputs/metaworld\n")
    report = json.loads((out / "report.json").read_text())
    assert [row["name"] for row in report["means"]] == ["mean of tasks", "mean of groups"]
    assert report["groups"][0] | {"wilson_95": 0} == {
        "policy": "expert", "group": "easy", "successes": 4, "trials": 4, "rate": 1.0,
        "wilson_95": 0,
    }  # fmt: skip
    assert len(list((out / "videos").glob("*.mp4"))) == 2  # the first episode of each task
    assert "SmolVLA, 0.45 B | 82.5" in (out / "report.md").read_text()


@needs_metaworld
def test_a_random_walk_fails_and_stands_beside_the_expert(tmp_path, capsys):
    words = ["--policy", "random", "--tasks", "door-open", "--episodes", "1", "--steps", "60"]
    assert main(["eval", "metaworld", *words, "--out", str(tmp_path / "eval"), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    rates = {score["policy"]: score["rate"] for score in report["scores"]}
    assert rates == {"random": 0.0, "expert": 0.0}  # 60 steps are too few for the expert as well


@needs_metaworld
def test_demonstrations_are_equally_many_of_each_task_and_all_succeed(tmp_path, backend):
    settings = CollectSettings(relabels=0, noise=0.1, max_ticks=120)
    job = CollectJob(
        "metaworld", 2, image_size=32, settings=settings,
        families=("handle-press-v3", "reach-v3"), one_by_one=True,
    )  # fmt: skip
    assert [job.family(seed) for seed in job.seeds] == ["handle-press-v3", "reach-v3"]
    dataset = RldsDataset.open(collect_dataset(tmp_path, "demos", job))
    episodes = [e for split in dataset.splits for e in dataset.episodes(split)]
    assert {e.metadata["task_family"] for e in episodes} == {"handle-press-v3", "reach-v3"}
    for episode in episodes:
        assert episode.metadata["success"]
        assert episode.metadata["seed"] >= 1_000_000  # evaluation takes seeds below
        names = episode.metadata["object_names"].split("|")
        goal = np.asarray(episode.columns["object_pixels"])[0, names.index("goal")]
        assert (goal > 0).all()
        assert np.abs(episode.action[:, :3]).max() <= 0.01 + 1e-6
        assert not episode.action[:, 3:6].any()
