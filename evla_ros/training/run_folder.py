# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder of a run: a new run claims it, and `--resume` continues in it, wherever it is."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from evla_ros.model.config import EvlaConfig
from evla_ros.reading.text_files import exists, is_file, is_folder, read_json_object
from evla_ros.training import distributed
from evla_ros.training.checkpointing import states
from evla_ros.training.config import ModelSettings, TrainConfig
from evla_ros.training.config_file import load_settings
from evla_ros.training.errors import TrainingError
from evla_ros.training.initial_model.from_preset import DEFAULT_PRESET
from evla_ros.training.phase import Phase
from evla_ros.training.run_settings import RunSettings

SETTINGS, LAST = "train.json", "last"
Settings = TypeVar("Settings", bound=RunSettings)


def run_config(path: str | Path, changes: Sequence[str] = (), *, resume: bool) -> TrainConfig:
    """Return the configuration of a fine-tuning run, see `run_settings`."""
    return run_settings(TrainConfig, path, changes, resume=resume)


def run_settings(
    kind: type[Settings], path: str | Path, changes: Sequence[str] = (), *, resume: bool
) -> Settings:
    """Return the configuration of a run to start or to continue.

    Args:
        kind: The settings of its phase.
        path: A YAML file. To continue, also the folder of the run or the `train.json` in it; that
            folder is then the run's, whatever output its settings name.
        changes: `key.sub=value` arguments of the command line.
        resume: Continue a run.

    Raises:
        TrainingError: There is no such run, or the settings are wrong.
    """
    file = Path(path)
    if not resume or (not is_folder(file) and file.name != SETTINGS):
        return load_settings(kind, file, changes, resume=resume)
    folder = file if is_folder(file) else file.parent
    if not is_file(folder / SETTINGS):
        raise _nothing_in(folder)
    for change in changes:
        if change.partition("=")[0] == "output":
            raise TrainingError(
                f"command line, {change!r}: a run goes on in its own folder {str(folder)!r}; leave "
                "it out (a copy of the folder is another run)"
            )
    config = load_settings(kind, folder / SETTINGS, changes, resume=True)
    return config.model_copy(update={"output": str(folder)})


def check_folder(config: RunSettings, *, resume: bool) -> None:
    """Check that a new run overwrites no other, and that a resumed one has its own folder.

    Raises:
        TrainingError: It does not.
    """
    folder = Path(config.output)
    stored = folder / SETTINGS
    if not resume:
        if exists(stored):
            raise _occupied(folder)
        return
    if not stored.is_file():
        raise _nothing_in(folder)
    stored_data = read_json_object(stored, TrainingError)
    began, asked = stored_data.get("model", {}), config.model_dump(mode="json")
    for key in ("start", "vision", "preset"):
        before, now = (_origin(model, key) for model in (began, asked["model"]))
        if before != now:
            raise TrainingError(
                f"model.{key}: the run in {str(folder)!r} began with {before!r} and goes on with "
                f"its own weights; leave out {now!r}, or begin a new run"
            )
    augmented = stored_data.get("data", {}).get("augment", False)
    if augmented != asked["data"].get("augment", False):
        raise TrainingError(
            f"data.augment: the run in {str(folder)!r} began with {augmented}, and its checkpoint "
            "is served pictures cropped alike; leave it out, or begin a new run"
        )


@contextlib.contextmanager
def claimed(
    config: RunSettings, group: distributed.ProcessGroup, *, resume: bool
) -> Iterator[None]:
    """Claim the folder of a run; a new claim is taken back when the block raises.

    Cached features survive Ctrl-C: the run goes on with them.

    Args:
        config: The settings of the run.
        group: The ranks; all of them have to call it, the main one writes.
        resume: The folder is there, and its settings are stored anew.

    Raises:
        TrainingError: Another run claimed the folder first, or it cannot be written.
    """
    group.barrier()  # every rank has looked at the folder
    new = not resume and group.is_main
    made = _claim(config) if new else False
    if resume and group.is_main:
        _store_settings(config)
    try:
        yield
    except BaseException as error:
        begun = isinstance(error, KeyboardInterrupt) and any(Path(config.output).glob("features/*"))
        if new and not begun:
            _give_back(config, made=made)
        raise


def _claim(config: RunSettings) -> bool:
    """Create the folder of a new run with its settings in it; returns whether it is a new one."""
    folder = Path(config.output)
    made = not exists(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / SETTINGS).open("x") as file:
            file.write(json.dumps(config.model_dump(mode="json"), indent=2) + "\n")
    except FileExistsError as error:
        raise _occupied(folder) from error
    except OSError as error:
        raise TrainingError(f"cannot make {str(folder)!r}: {error.strerror}") from error
    return made


def _store_settings(config: RunSettings) -> None:
    """Store the settings that a resumed run continues with, for the next `--resume`."""
    file = Path(config.output) / SETTINGS
    partial = file.with_suffix(".partial")
    try:
        partial.write_text(json.dumps(config.model_dump(mode="json"), indent=2) + "\n")
        partial.replace(file)
    except OSError as error:
        raise TrainingError(f"cannot write {str(file)!r}: {error.strerror}") from error


def _give_back(config: RunSettings, *, made: bool) -> None:
    """Undo a claim: the run was refused after all, or stopped before its first step."""
    folder = Path(config.output)
    if made:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        (folder / SETTINGS).unlink(missing_ok=True)


def continued(config: Any) -> Any:
    """Return the settings to build the network of a resumed run.

    Its weights are in the saved state, and its checkpoint `last` holds their shape, the tokenizer
    and the robot. The files that the run began with are not needed.
    """
    folder = Path(config.output)
    last = folder / LAST
    if not states(folder) or not last.is_dir():
        return config
    model = config.model.model_copy(
        update=_known(config.model, {"start": str(last), "preset": "", "vision": ""})
    )
    robot = last / "embodiment.yaml"
    embodiment = str(robot) if robot.is_file() else ""
    changes = _known(config, {"model": model, "embodiment": embodiment})
    return config.model_copy(update=changes)


def _known(section: BaseModel, changes: dict[str, Any]) -> dict[str, Any]:
    """Return the changes whose keys a section has."""
    return {key: value for key, value in changes.items() if key in type(section).model_fields}


def check_same_network(config: RunSettings, made: EvlaConfig) -> None:
    """Check that the settings of a resumed run still ask for the network of the run.

    Raises:
        TrainingError: Names what differs.
    """
    folder = Path(config.output)
    if not states(folder) or not (folder / LAST / "config.json").is_file():
        return
    kept = _flat(read_json_object(folder / LAST / "config.json", TrainingError))
    now = _flat(_plain(made))
    differing = [key for key in now if now[key] != kept.get(key, now[key])]
    if differing:
        found = ", ".join(f"{key}: {kept[key]} -> {now[key]}" for key in differing)
        raise TrainingError(
            f"the run in {str(folder)!r} goes on with its own network; {found} takes a new run "
            f"(model.start={folder / LAST})"
        )


def command_to_go_on(config: RunSettings, group: distributed.ProcessGroup, phase: Phase) -> str:
    """Return the command that continues a run."""
    if group.ranks == 1:
        return f"{phase.command} {config.output} --resume"
    program = f"torchrun --nproc-per-node {group.ranks} -m {phase.module}"
    return f"{program} {config.output} --resume"


def say_how_to_go_on(
    config: RunSettings, group: distributed.ProcessGroup, phase: Phase, step: int
) -> None:
    """Print where a run was stopped, and the command that continues it."""
    if not group.is_main:
        return
    text = f"saved; go on with:\n  {command_to_go_on(config, group, phase)}"
    stopped = f"stopped after step {step} of {config.optimizer.steps}"
    print(f"{stopped}: {text}", file=sys.stderr, flush=True)


def _origin(model: dict[str, object], key: str) -> object:
    """Return where the network came from; a preset counts only without a checkpoint."""
    default = ModelSettings.model_fields[key].default
    value = model.get(key, default)
    if key == "preset":
        return "" if model.get("start") else value or DEFAULT_PRESET
    return value


def _plain(config: EvlaConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _flat(data: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in data.items():
        inner = isinstance(value, dict)
        found.update(_flat(value, f"{prefix}{key}.") if inner else {f"{prefix}{key}": value})
    return found


def _occupied(folder: Path) -> TrainingError:
    return TrainingError(
        f"{str(folder)!r} holds a run already; resume it with --resume or choose another folder"
    )


def _nothing_in(folder: Path) -> TrainingError:
    return TrainingError(f"nothing to resume in {str(folder)!r}: it has no {SETTINGS}")
