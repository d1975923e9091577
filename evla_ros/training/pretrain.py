# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Phase 1: pretrain on pictures with conversations; the same on a CPU, a GPU and under torchrun.

    evla train pretrain config/training/evla_1b_vlm.yaml --start CHECKPOINT
    torchrun --nproc-per-node 8 -m evla_ros.training.pretrain config/training/evla_1b_vlm.yaml

The loop is that of `evla_ros.training.train`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.reading.text_files import exists
from evla_ros.settings_errors import Keys
from evla_ros.training.command_line import OUTPUTS, file_and_changes
from evla_ros.training.config_changes import apply_changes
from evla_ros.training.config_file import parse_settings, read_settings
from evla_ros.training.conversation_phase import ConversationPhase
from evla_ros.training.errors import TrainingError
from evla_ros.training.pretrain_config import PretrainConfig
from evla_ros.training.run_folder import run_settings
from evla_ros.training.train import run_phase

_NO_DATA = "name what to learn from: --data JSON, or a YAML file"


@dataclass(frozen=True)
class PretrainRequest:
    """What a command asks for.

    Attributes:
        words: A YAML file or, to resume, the folder of a run; then `key.sub=value` changes.
        data: LLaVA-style JSON files, in place of those of the file.
        images: Folder of their pictures; empty: beside each file.
        stage: `align` or `finetune`; empty: as the file says.
        start: The checkpoint folder to start from; empty: as the file says.
        resume: Continue the run in the folder instead of starting one.
    """

    words: tuple[str, ...] = ()
    data: tuple[str, ...] = ()
    images: str = ""
    stage: str = ""
    start: str = ""
    resume: bool = False


def pretrain(config: PretrainConfig, *, resume: bool = False) -> Path:
    """Train and return the folder of the run; errors as of `evla_ros.training.train.train`."""
    return run_phase(ConversationPhase(), config, resume=resume)


def requested_pretraining(request: PretrainRequest) -> PretrainConfig:
    """Return the settings that a request asks for.

    Raises:
        TrainingError: Something is missing, contradicts itself, is unknown or has no effect.
    """
    file, changes = file_and_changes(request.words)
    if request.resume:
        return _resumed(request, file, changes)
    if file is None and not request.data:
        raise TrainingError(f"{_NO_DATA}; see `evla train pretrain --help`")
    if file and not exists(file):
        raise TrainingError(f"{file!r} is neither a file nor a setting; write key.sub=value")
    data = read_settings(file) if file else {}
    typed = _put(data, request)
    typed |= apply_changes(data, changes)
    if file is None and "output" not in data:
        data["output"] = str(OUTPUTS / Path(request.data[0]).stem)
    return parse_settings(PretrainConfig, data, str(file or "settings"), typed)


def _resumed(request: PretrainRequest, file: str | None, changes: list[str]) -> PretrainConfig:
    if file is None:
        raise TrainingError(
            "--resume needs the folder of the run: evla train pretrain RUN --resume"
        )
    for name in ("data", "images", "stage", "start"):
        if getattr(request, name):
            raise TrainingError(f"--{name}: a run goes on with what it began with; leave it out")
    if not exists(file):
        raise TrainingError(f"nothing to resume in {file!r}: it does not exist")
    return run_settings(PretrainConfig, file, changes, resume=True)


def _put(data: dict[str, Any], request: PretrainRequest) -> dict[Keys, str]:
    """Put the options over the content of a file; returns the typed words by what they set."""
    typed: dict[Keys, str] = {}
    if request.images and not request.data:
        raise TrainingError("--images: has no effect without --data, whose pictures it holds")
    if request.data:
        data["conversations"] = [
            {"path": path, **({"images": request.images} if request.images else {})}
            for path in request.data
        ]
        for i, path in enumerate(request.data):
            typed["conversations", str(i)] = f"--data {path}"
    if request.stage:
        data["stage"] = request.stage
        typed["stage",] = f"--stage {request.stage}"
    if request.start:
        model = data.setdefault("model", {})
        if isinstance(model, dict):
            model.pop("preset", None)
            model["start"] = request.start
        typed["model", "start"] = f"--start {request.start}"
    return typed


def read_arguments(argv: Sequence[str]) -> PretrainRequest:
    """Return the request of a plain argument list, as `torchrun` hands it to every rank."""
    parser = argparse.ArgumentParser(
        prog="evla_ros.training.pretrain", allow_abbrev=False, description=__doc__
    )
    parser.add_argument("words", nargs="*", help="CONFIG or RUN, then key.sub=value changes")
    parser.add_argument("--data", action="append", default=[], help="a LLaVA-style JSON file")
    parser.add_argument("--images", default="", help="the folder of its pictures")
    parser.add_argument("--stage", default="", help="align or finetune")
    parser.add_argument("--start", default="", help="the checkpoint folder to start from")
    parser.add_argument("--resume", action="store_true", help="continue the run in the folder")
    found = vars(parser.parse_intermixed_args(list(argv)))
    return PretrainRequest(tuple(found.pop("words")), tuple(found.pop("data")), **found)


def main(argv: list[str] | None = None) -> int:
    """Run phase 1 under torchrun, with the arguments of `evla train pretrain`.

    Returns:
        The exit code: 0, 1 after Ctrl-C, 2 after an error, which is printed.
    """
    try:
        request = read_arguments(sys.argv[1:] if argv is None else argv)
        pretrain(requested_pretraining(request), resume=request.resume)
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
