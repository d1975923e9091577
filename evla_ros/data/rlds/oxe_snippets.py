# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Return the lines that register a dataset in OpenVLA, OpenVLA-OFT and Octo.

They follow prismatic/vla/datasets/rlds/oxe/{configs,materialize}.py and octo/data/oxe/__init__.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from evla_ros.data.rlds.features import (
    ACTION,
    EXTRA,
    OBSERVATION,
    STATE,
    DatasetFeatures,
    is_extra,
)

SNIPPET_FILE = "oxe_registration.py.txt"
ARM_NUMBERS = 7
_POSE_AND_GRIPPER = 8  # xyz, quaternion, gripper: POS_QUAT

_TRANSFORM = Template('''\
# --- transform: append to transforms.py (OpenVLA, OFT) or oxe_standardization_transforms.py (Octo)
def ${name}_dataset_transform(trajectory):
    """Actions are already deltas in the base frame with an absolute gripper, 1 = open."""
${proprio}    return trajectory


# and inside the dict OXE_STANDARDIZATION_TRANSFORMS of the same file:
    "${name}": ${name}_dataset_transform,
''')

_CONFIG = Template("""\
# --- $where, inside the dict OXE_DATASET_CONFIGS:
    "${name}": {
        "image_obs_keys": {"primary": $primary, "secondary": $secondary, "wrist": $wrist$more},
        "depth_obs_keys": {"primary": None, "secondary": None, "wrist": None},
$state        "action_encoding": ActionEncoding.$action,
$extra    },
""")

_OFT_SIZES = Template("""\
# --- prismatic/vla/constants.py of OFT chooses sizes by words on the command line; for this set:
# ACTION_DIM = $dim, PROPRIO_DIM = $proprio_dim, NUM_ACTIONS_CHUNK = the chunk you train
""")

_MORE = Template("""\
# They are: $numbers.
# Beside the arm, a base has velocities in its own frame and every axis an absolute position. The
# masks below keep all $dim of them; leave none out, or the robot stands still where it should move.
""")

_BESIDE = Template("""\
# --- recorded beside the policy's inputs: $keys
# These loaders pass none of it on. To use a column, give it a key of its own in the transform, as
#     trajectory["observation"]["$name"] = trajectory["observation"]["extra"]["$name"]
# and name a depth image (uint16 PNG, millimetres) in depth_obs_keys, a row of numbers in
# state_obs_keys. They are not in dataset_statistics.json.
""")

_MIXTURE = Template("""\
# --- mixture: OXE_NAMED_MIXTURES in mixtures.py (OpenVLA, OFT), OXE_NAMED_MIXES in Octo
    "${name}": [("${name}", 1.0)],
""")


def oxe_snippets(
    name: str,
    features: DatasetFeatures,
    mask: Sequence[bool],
    absolute: Sequence[bool] | None = None,
) -> str:
    """Return the text to paste: config entries, transform and mixture line.

    One arm is EEF_POS and loads in all three. Two arms (14 numbers) use the bimanual encoding of
    OFT and Octo with the masks of end-effector deltas. A robot with a base or axes takes EEF_POS
    with masks of its own, so that all its numbers are learned; without `absolute` the meaning of
    other sizes is not known, and a comment says so.

    Args:
        name: Of the dataset.
        features: What it holds.
        mask: [D] True for the action numbers that a loader is to normalise.
        absolute: [D] True for those that say what is, not what changes; None: not known.
    """
    dim = features.action_dim
    head = f"# Registration of the RLDS dataset {name!r}: {dim} action numbers.\n"
    usual = dim in (ARM_NUMBERS, 2 * ARM_NUMBERS) and _arms_only(dim, absolute)
    if not usual and absolute is None:
        return head + (
            f"# No loader of OpenVLA, OFT or Octo has an encoding for {dim} numbers;\n"
            "# read the dataset with evla_ros.data.rlds.reader or with tensorflow_datasets.\n"
        )
    if not usual:
        head += _MORE.substitute(numbers=features.steps[ACTION].description, dim=dim)
    has_state = STATE in features.steps
    proprio = '    trajectory["observation"]["proprio"] = trajectory["observation"]["state"]\n'
    cameras = camera_slots(features.image_keys)
    keys = {slot: repr(key) if key is None else f'"{key}"' for slot, key in cameras.items()}
    parts = [head]
    bimanual = usual and dim != ARM_NUMBERS
    for where, state, encoding in _variants(has_state, features, bimanual=bimanual):
        own_sizes = (bimanual or not usual) and "Octo" not in where
        if own_sizes:
            proprio_dim = features.steps[STATE].values_per_step if has_state else 0
            parts.append(_OFT_SIZES.substitute(dim=dim, proprio_dim=proprio_dim))
        parts.append(
            _CONFIG.substitute(
                keys,
                name=name,
                where=where,
                state=state,
                action=encoding,
                more=_wrist_pair(features.image_keys) if bimanual and own_sizes else "",
                extra=_mask_kwargs(mask, absolute) if own_sizes or not usual else "",
            )
        )
    parts.append(_TRANSFORM.substitute(name=name, proprio=proprio if has_state else ""))
    beside = sorted(key.removeprefix(EXTRA) for key in features.steps if is_extra(key))
    if beside:
        parts.append(_BESIDE.substitute(keys=", ".join(beside), name=beside[0]))
    parts.append(_MIXTURE.substitute(name=name))
    return "\n".join(parts)


def camera_slots(image_keys: Sequence[str]) -> dict[str, str | None]:
    """Assign the cameras to the loaders' slots primary, secondary and wrist, as far as they go."""
    left = list(image_keys)
    slots: dict[str, str | None] = {"primary": None, "secondary": None, "wrist": None}
    for slot, hints in (("wrist", ("wrist", "hand")), ("primary", ("primary", "head", "front"))):
        match = next((key for word in hints for key in left if word in key), None)
        if match is not None:
            slots[slot] = match
            left.remove(match)
    for slot in ("primary", "secondary"):
        if slots[slot] is None and left:
            slots[slot] = left.pop(0)
    return slots


def _arms_only(dim: int, absolute: Sequence[bool] | None) -> bool:
    """Return whether every seventh number alone, a gripper, is absolute."""
    if absolute is None:
        return True
    last = ARM_NUMBERS - 1
    return list(absolute) == [i % ARM_NUMBERS == last for i in range(dim)]


def _variants(
    has_state: bool, features: DatasetFeatures, *, bimanual: bool
) -> list[tuple[str, str, str]]:
    encoding = "JOINT_POS_BIMANUAL" if bimanual else "EEF_POS"
    if not has_state:
        kind = "NONE"
    elif not bimanual:
        pose = features.steps[STATE].values_per_step == _POSE_AND_GRIPPER
        kind = "POS_QUAT" if pose else "JOINT"
    else:
        kind = "JOINT_BIMANUAL"
    keys = [STATE.removeprefix(OBSERVATION)] if has_state else [None]
    quoted = ", ".join(f'"{key}"' if key else "None" for key in keys)
    prismatic = (
        f'        "state_obs_keys": [{quoted}],\n        "state_encoding": StateEncoding.{kind},\n'
    )
    octo = f'        "proprio_encoding": ProprioEncoding.{kind},\n'
    who = "configs.py of OFT" if bimanual else "configs.py of OpenVLA and OFT"
    return [(who, prismatic, encoding), ("oxe_dataset_configs.py of Octo", octo, encoding)]


def _wrist_pair(image_keys: Sequence[str]) -> str:
    """Return the two slots that OFT asks for when the mixture's name contains `aloha`."""
    pair = [(side, key) for side in ("left", "right") for key in image_keys if side in key]
    return "".join(f', "{side}_wrist": "{key}"' for side, key in pair)


def _mask_kwargs(mask: Sequence[bool], absolute: Sequence[bool] | None) -> str:
    kept = [not normalised for normalised in mask] if absolute is None else list(absolute)
    return (
        '        "aux_kwargs": {\n'
        f'            "absolute_action_mask": {kept},\n'
        f'            "action_normalization_mask": {list(mask)},\n'
        "        },\n"
    )
