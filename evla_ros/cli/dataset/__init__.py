# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla dataset`: examine datasets, and merge, split or edit them into new copies."""

from __future__ import annotations

from evla_ros.cli.commands import Commands

_SUMMARIES = {
    "doctor": "look for everything that spoils training",
    "stats": "compute the statistics anew",
    "merge": "put datasets of one robot together",
    "split": "assign train and val anew",
    "edit": "drop episodes, change instructions",
    "export": "write a dataset for LeRobot",
    "import": "read LeRobot, HDF5 and UMI datasets",
    "push": "send a dataset to the Hugging Face hub",
    "pull": "fetch a dataset from the Hugging Face hub",
}
COMMANDS = Commands(
    "evla dataset",
    "action",
    __name__,
    _SUMMARIES,
    [
        "evla dataset doctor datasets/my_robot --plots plots",
        "evla dataset merge datasets/monday datasets/tuesday --out datasets --name week",
        "evla dataset split datasets/my_robot --out datasets --val 0.2 --failures",
        "evla dataset edit datasets/my_robot --out datasets --drop train/3",
        "evla dataset stats datasets/my_robot",
        "evla dataset export datasets/my_robot lerobot/my_robot --to lerobot",
        "evla dataset import lerobot/pusht datasets --map pusht.yaml",
    ],
)
