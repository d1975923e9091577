# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bag that some other program recorded becomes a dataset: look, describe the robot, convert.

    python examples/convert_foreign_bag.py their_bag datasets "put the cup on the plate"

The same by hand: evla robot init my_robot.yaml --from their_bag, edit it, evla robot check
my_robot.yaml --bag their_bag, evla convert their_bag --out datasets --embodiment my_robot.yaml.
"""

from __future__ import annotations

import sys
from pathlib import Path

from evla_ros import RldsDataset
from evla_ros.data.convert.conversion import Conversion
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.proposal.propose import propose
from evla_ros.data.survey.bag import survey_bag
from evla_ros.doctor.robot.check import check
from evla_ros.errors import EvlaError


def main(bag: Path, out: Path, instruction: str) -> int:
    """Convert; 0 when the whole bag is in the dataset."""
    survey = survey_bag(bag)
    proposal = propose(survey, "their_robot")
    out.mkdir(parents=True, exist_ok=True)
    file = out / "their_robot.yaml"
    file.write_text(proposal.text, encoding="utf-8")
    print(f"wrote {file}; a person has to judge:")
    print("\n".join(f"  {line}" for line in proposal.checks))

    for finding in check(proposal.embodiment, survey):  # what 'evla robot check' shows
        if finding.status == "red":
            print(f"red: {finding.name}: {finding.fix}")

    options = ConvertOptions(instruction=instruction)  # the bag does not say what it shows
    report = Conversion((str(bag),), out, embodiment=str(file), episodes=options, jobs=1).run()
    print(report.text())
    dataset = RldsDataset.open(out / "their_robot")
    print(f"{sum(dataset.splits.values())} episodes in {dataset.path}")
    return 0 if report.complete else 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit("name a bag, a folder for datasets, and in quotes what the bag shows")
    try:
        raise SystemExit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
    except EvlaError as error:
        raise SystemExit(f"error: {error}") from error
