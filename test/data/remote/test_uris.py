# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags and datasets in object stores: found, copied once, converted to the same bytes."""

from __future__ import annotations

import hashlib
import logging
import shutil
from pathlib import Path

import pytest

pytest.importorskip("fsspec", reason="pip install 'evla_ros[remote]'")

import fsspec
from synthetic_bag import SyntheticRobot, write_robot_bag
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.cli.main import main
from evla_ros.data.remote.bags import remote_bags
from evla_ros.data.remote.copies import kept_copy, short_copy
from evla_ros.data.remote.publish import output_folder
from evla_ros.data.remote.store import RemoteError, Store
from evla_ros.data.remote.uri import Uri, local_path, uri_of
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("EVLA_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def memory():
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """A loopback S3; its address reaches s3fs as it does a user's: through fsspec's settings."""
    pytest.importorskip("s3fs", reason="pip install s3fs")
    server = pytest.importorskip("moto.server", reason="pip install 'moto[s3]' flask flask-cors")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "known-to-nobody")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "hush-hush")
        patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
        patch.setenv("FSSPEC_S3_ENDPOINT_URL", f"http://{host}:{port}")
        fsspec.config.conf["s3"] = {"endpoint_url": f"http://{host}:{port}"}
        files = fsspec.filesystem("s3")
        files.mkdir("robots")
        yield files
    fsspec.config.conf.pop("s3")
    running.stop()


@pytest.fixture(scope="module")
def bags(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bags")
    for number in range(3):
        robot = SyntheticRobot(load_embodiment("tabletop_arm"), seconds=2.0, seed=number,
                               start_ns=(1_700_000_000 + 60 * number) * 10**9)  # fmt: skip
        write_robot_bag(folder / f"episode_{number}", robot)
    return folder


def upload(files, folder, target):
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = f"{target}/{path.relative_to(folder).as_posix()}"
        files.makedirs(name.rsplit("/", 1)[0], exist_ok=True)
        files.put_file(str(path), name)


def digest(folder):
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def download(files, source, target):
    for name in files.find(source):
        path = target / name.split(source.split("://")[-1].strip("/") + "/", 1)[1]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(files.cat_file(name))


@pytest.mark.parametrize(
    ("word", "uri"),
    [
        ("s3://bucket/a/b", Uri("s3", "bucket/a/b")),
        (Path("s3://bucket/a/b"), Uri("s3", "bucket/a/b")),
        ("memory://x/", Uri("memory", "x")),
        ("gs://b", Uri("gs", "b")),
        ("a/b", None),
        ("/a/b", None),
        ("file:///a/b", None),
        ("C:/x", None),
        (Path("s3_data"), None),
    ],
)
def test_what_is_a_uri(word, uri):
    assert uri_of(word) == uri


def test_file_uris_are_paths_and_secrets_are_not_shown():
    assert local_path("file:///a/b") == local_path(Path("file:///a/b")) == Path("/a/b")
    uri = uri_of("ftp://ann:secret@host/data?token=abc")
    assert str(uri) == "ftp://host/data"
    assert "secret" in uri.text


def test_bags_are_found_by_the_names_of_files(memory):
    names = [
        "day/one/metadata.yaml", "day/one/one_0.mcap", "day/two/two_0.mcap", "day/two/two_1.mcap",
        "day/loose/a.mcap", "day/loose/b.db3.zstd", "day/.hidden/x.mcap", "day/trash/y.mcap",
        "day/old/tour.bag", "day/notes.txt", "lone.mcap", "parts/rec_0.mcap", "parts/rec_1.mcap",
    ]  # fmt: skip
    for name in names:
        memory.pipe_file(f"/lab/{name}", b"x")
    found = [str(uri) for uri in remote_bags(Uri("memory", "lab"))]
    assert found == [
        f"memory://lab/{name}"
        for name in ("day/loose/a.mcap", "day/loose/b.db3.zstd", "day/old/tour.bag", "day/one",
                     "day/two", "lone.mcap", "parts")
    ]  # fmt: skip
    assert [str(u) for u in remote_bags(Uri("memory", "lab/day/one"))] == ["memory://lab/day/one"]
    lone = Uri("memory", "lab/lone.mcap")
    assert remote_bags(lone) == [lone]


def test_a_bag_comes_once_and_leaves_nothing(memory, bags, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    upload(memory, bags / "episode_0", "/lab/episode_0")
    asked = []
    real = type(memory)._open
    monkeypatch.setattr(
        type(memory), "_open", lambda self, path, **k: asked.append(path) or real(self, path, **k)
    )
    with short_copy(Uri("memory", "lab/episode_0")) as copy:
        assert copy.name == "episode_0"
        assert digest(copy) == digest(bags / "episode_0")
    assert len(asked) == len(set(asked)) == len(digest(bags / "episode_0"))
    assert not list((tmp_path / "temporary").iterdir())


def test_converted_from_and_to_s3_the_bytes_are_those_of_a_disk(s3, bags, tmp_path, capsys):
    upload(s3, bags, "robots/monday")
    here = tmp_path / "here"
    words = ["--name", "cups", "--image-size", "32", "--jobs", "1"]
    assert main(["convert", str(bags), "--out", str(here), *words]) == 0
    there = ["convert", "s3://robots/monday", "--out", "s3://robots/datasets", *words]
    assert main(there) == 0
    told = capsys.readouterr()
    assert "s3://robots/datasets/cups/1.0.0" in told.out
    assert "hush-hush" not in told.out + told.err
    download(s3, "robots/datasets/cups", tmp_path / "back")
    assert digest(tmp_path / "back") == digest(here / "cups")
    assert s3.exists("robots/datasets/cups_conversion.json")
    assert not [name for name in s3.find("robots/datasets") if "staging" in name]

    assert main(there) == 0, "the same again is unchanged"
    assert "unchanged" in capsys.readouterr().out
    assert [p.rsplit("/", 1)[1] for p in s3.ls("robots/datasets/cups")] == ["1.0.0"]
    more = [*there[:2], "s3://robots/monday/episode_0", *there[2:], "--instruction", "other words"]
    assert main(more) == 0
    assert sorted(p.rsplit("/", 1)[1] for p in s3.ls("robots/datasets/cups", refresh=True)) == [
        "1.0.0", "1.1.0",
    ]  # fmt: skip


def test_pool_of_processes_reads_s3_too(s3, bags, tmp_path, monkeypatch, capsys):
    """What a worker process needs is in the environment, as for a user."""
    upload(s3, bags, "robots/tuesday")
    words = ["--name", "cups", "--image-size", "32", "--jobs", "2"]
    code = main(["convert", "s3://robots/tuesday", "--out", str(tmp_path / "two"), *words])
    assert code == 0, capsys.readouterr().out
    assert main(["convert", str(bags), "--out", str(tmp_path / "one"), *words]) == 0
    assert digest(tmp_path / "one" / "cups") == digest(tmp_path / "two" / "cups")


def test_look_and_examine(memory, bags, tmp_path, capsys, cache):
    robot = load_embodiment("tabletop_arm")
    episodes = [synthetic_episode(i, robot) for i in range(3)]
    report = write_synthetic(tmp_path / "sets", episodes, robot)
    upload(memory, report.path.parent, "/lab/sets/my_robot")
    upload(memory, bags, "/lab/bags")
    assert main(["inspect", "memory://lab/sets/my_robot"]) == 0
    told = capsys.readouterr()
    assert "episodes           3" in told.out
    assert "copying" in told.err
    assert main(["dataset", "stats", "memory://lab/sets/my_robot"]) == 0
    told = capsys.readouterr()
    assert "3 episodes" in told.out
    assert "copying" not in told.err, "the copy is used again"
    main(["dataset", "doctor", "memory://lab/sets/my_robot"])
    assert "3 episodes" in capsys.readouterr().out
    assert main(["inspect", "memory://lab/bags/episode_1"]) == 0
    assert "camera/primary" in capsys.readouterr().out
    assert main(["inspect", "memory://lab/bags"]) == 2
    assert "folder of 3 bags" in capsys.readouterr().err
    target = ["--out", "memory://lab/sets", "--name", "week"]
    assert main(["dataset", "merge", "memory://lab/sets/my_robot", *target]) == 0
    assert "memory://lab/sets/week/1.0.0" in capsys.readouterr().out
    assert RldsDataset.open("memory://lab/sets/week").splits == {"train": 2, "val": 1}
    assert len(list((cache / "copies").iterdir())) == 2


def test_a_changed_dataset_is_copied_anew(memory, tmp_path):
    robot = load_embodiment("tabletop_arm")
    first = write_synthetic(tmp_path / "a", [synthetic_episode(0, robot)], robot)
    upload(memory, first.path, "/lab/x/1.0.0")
    before = kept_copy(Uri("memory", "lab/x"))
    assert kept_copy(Uri("memory", "lab/x")) == before
    second = write_synthetic(tmp_path / "b", [synthetic_episode(1, robot)], robot)
    shutil.copytree(second.path, tmp_path / "c")
    upload(memory, tmp_path / "c", "/lab/x/1.0.0")
    assert kept_copy(Uri("memory", "lab/x")) != before


def test_a_version_that_appears_meanwhile_is_not_overwritten(memory, tmp_path):
    robot = load_embodiment("tabletop_arm")
    other = write_synthetic(tmp_path / "other", [synthetic_episode(7, robot, steps=11)], robot)
    with (
        pytest.raises(RemoteError, match="was written by somebody else meanwhile"),
        output_folder(Uri("memory", "lab/sets")) as local,
    ):
        write_synthetic(local, [synthetic_episode(0, robot)], robot)
        upload(memory, other.path, "/lab/sets/my_robot/1.0.0")
    info = memory.cat_file("/lab/sets/my_robot/1.0.0/dataset_info.json")
    assert info == (other.path / "dataset_info.json").read_bytes()


def test_no_dataset_is_seen_before_it_is_whole(memory, tmp_path, monkeypatch):
    robot = load_embodiment("tabletop_arm")
    sent = []
    real = Store.put
    monkeypatch.setattr(Store, "put", lambda s, a, b: sent.append(b) or real(s, a, b))
    with output_folder(Uri("memory", "lab/sets")) as local:
        write_synthetic(local, [synthetic_episode(i, robot) for i in range(2)], robot)
    assert sent[-1] == "my_robot/1.0.0/dataset_info.json"
    assert len(sent) > 5


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["inspect", "memory://nothing/here"], "memory://nothing/here holds no bag"),
        (["dataset", "doctor", "memory://nothing/here"], "there is no memory://nothing/here"),
        (["convert", "memory://nothing/here", "--out", "x"], "memory://nothing/here holds no bag"),
        (["inspect", "nosuch://a/b"], "nosuch://a/b: no such kind of place"),
        (["dataset", "doctor", "file:///nothing/here"], "there is no folder /nothing/here"),
    ],
)
def test_refusals(memory, capsys, words, sentence):
    assert main(words) == 2
    assert sentence in capsys.readouterr().err
