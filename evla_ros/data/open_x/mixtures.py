# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The published mixtures: which datasets, and what multiplies the size of each.

After OpenVLA (arXiv 2406.09246, table of the training mixture, and its published loader), without
the names that a mixture lists twice and that its loader skips.
"""

from __future__ import annotations

from collections.abc import Mapping

from evla_ros.data.open_x.datasets import DATASETS, known_name
from evla_ros.data.open_x.errors import OpenXError
from evla_ros.errors import nearest

Weights = Mapping[str, float]

_RT1, _KUKA = 0.54087122203, 0.8341046294

_RTX: Weights = {
    "fractal20220817_data": _RT1,
    "kuka": _KUKA,
    "bridge_orig": 1.0,
    "taco_play": 2.0,
    "jaco_play": 2.0,
    "berkeley_cable_routing": 3.0,
    "roboturk": 1.0,
    "viola": 2.0,
    "berkeley_autolab_ur5": 1.0,
    "toto": 1.0,
}

_FRANKA: Weights = {
    "stanford_hydra_dataset_converted_externally_to_rlds": 1.0,
    "austin_buds_dataset_converted_externally_to_rlds": 3.0,
    "nyu_franka_play_dataset_converted_externally_to_rlds": 3.0,
    "maniskill_dataset_converted_externally_to_rlds": 0.1,
    "furniture_bench_dataset_converted_externally_to_rlds": 0.1,
    "cmu_franka_exploration_dataset_converted_externally_to_rlds": 5.0,
    "austin_sailor_dataset_converted_externally_to_rlds": 1.0,
    "austin_sirius_dataset_converted_externally_to_rlds": 1.0,
    "berkeley_rpt_converted_externally_to_rlds": 1.0,
    "kaist_nonprehensile_converted_externally_to_rlds": 3.0,
    "stanford_robocook_converted_externally_to_rlds": 1.0,
    "iamlab_cmu_pickup_insert_converted_externally_to_rlds": 1.0,
    "utaustin_mutex": 1.0,
    "cmu_play_fusion": 1.0,
}

_SOUP: Weights = {
    "fractal20220817_data": _RT1,
    "kuka": _KUKA,
    "bridge_orig": 1.0,
    "taco_play": 2.0,
    "jaco_play": 1.0,
    "berkeley_cable_routing": 1.0,
    "roboturk": 2.0,
    "viola": 2.0,
    "berkeley_autolab_ur5": 2.0,
    "toto": 1.0,
    "language_table": 0.1,
    "stanford_hydra_dataset_converted_externally_to_rlds": 2.0,
    "austin_buds_dataset_converted_externally_to_rlds": 1.0,
    "nyu_franka_play_dataset_converted_externally_to_rlds": 3.0,
    "furniture_bench_dataset_converted_externally_to_rlds": 0.1,
    "ucsd_kitchen_dataset_converted_externally_to_rlds": 2.0,
    "austin_sailor_dataset_converted_externally_to_rlds": 1.0,
    "austin_sirius_dataset_converted_externally_to_rlds": 1.0,
    "dlr_edan_shared_control_converted_externally_to_rlds": 1.0,
    "iamlab_cmu_pickup_insert_converted_externally_to_rlds": 1.0,
    "utaustin_mutex": 1.0,
    "berkeley_fanuc_manipulation": 2.0,
    "cmu_stretch": 1.0,
}

_LATER: Weights = {"bc_z": 0.2, "fmb_dataset": 1.0, "dobbe": 0.2}
_PLUS: Weights = {**_SOUP, **_LATER, "droid": 0.06}
_LEFT_OUT = ("language_table", "droid")

MIXTURES: Mapping[str, Weights] = {
    "bridge": {"bridge_orig": 1.0},
    "bridge_rt_1": {"bridge_orig": 1.0, "fractal20220817_data": 1.0},
    "rtx": _RTX,
    "rtx_franka": {**_RTX, **_FRANKA},
    "oxe_magic_soup": _SOUP,
    "oxe_magic_soup_plus": _PLUS,
    "oxe_magic_soup_plus_minus": {
        name: 1.0 if name == "fractal20220817_data" else weight
        for name, weight in _PLUS.items()
        if name not in _LEFT_OUT
    },
}


def mixture(name: str) -> Weights:
    """Return the weights of a mixture by dataset; the name of a dataset is a mixture of that one.

    Raises:
        OpenXError: There is no mixture of that name.
    """
    if name in MIXTURES:
        return MIXTURES[name]
    alone = known_name(name)
    if alone is None:
        names = (*MIXTURES, *DATASETS)
        raise OpenXError(
            f"unknown mixture {name!r}; {nearest(name, names)} (a mixture, or one dataset)"
        )
    return {alone: 1.0}
