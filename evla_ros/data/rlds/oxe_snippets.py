# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lines that OpenVLA, OpenVLA-OFT and Octo want in their registries to load a dataset by name.

Facts: prismatic/vla/datasets/rlds/oxe/{configs,materialize}.py and octo/data/oxe/__init__.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from string import Template

from evla_ros.data.rlds.features import OBSERVATION, STATE, DatasetFeatures

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

_MIXTURE = Template("""\
# --- mixture: OXE_NAMED_MIXTURES in mixtures.py (OpenVLA, OFT), OXE_NAMED_MIXES in Octo
    "${name}": [("${name}", 1.0)],
""")


def oxe_snippets(name: str, features: DatasetFeatures, mask: Sequence[bool]) -> str:
    """Return the text to paste: config entries, transform and mixture line.

    One arm is EEF_POS and loads in all three. Two arms (14 numbers) use the bimanual encoding of
    OFT and Octo with the masks of end-effector deltas. Other sizes get a comment that says so.
    """
    dim = features.action_dim
    head = f"# Registration of the RLDS dataset {name!r}: {dim} action numbers.\n"
    if dim not in (ARM_NUMBERS, 2 * ARM_NUMBERS):
        return head + (
            f"# No loader of OpenVLA, OFT or Octo has an encoding for {dim} numbers;\n"
            "# read the dataset with evla_ros.data.rlds.reader or with tensorflow_datasets.\n"
        )
    has_state = STATE in features.steps
    proprio = '    trajectory["observation"]["proprio"] = trajectory["observation"]["state"]\n'
    cameras = camera_slots(features.image_keys)
    keys = {slot: repr(key) if key is None else f'"{key}"' for slot, key in cameras.items()}
    parts = [head]
    for where, state, encoding in _variants(dim, has_state, features):
        oft_pair = dim != ARM_NUMBERS and "Octo" not in where
        if oft_pair:
            proprio_dim = features.steps[STATE].values_per_step if has_state else 0
            parts.append(_OFT_SIZES.substitute(dim=dim, proprio_dim=proprio_dim))
        parts.append(
            _CONFIG.substitute(
                keys,
                name=name,
                where=where,
                state=state,
                action=encoding,
                more=_wrist_pair(features.image_keys) if oft_pair else "",
                extra=_mask_kwargs(mask) if oft_pair else "",
            )
        )
    parts.append(_TRANSFORM.substitute(name=name, proprio=proprio if has_state else ""))
    parts.append(_MIXTURE.substitute(name=name))
    return "\n".join(parts)


def camera_slots(image_keys: Sequence[str]) -> dict[str, str | None]:
    """Fill primary, secondary and wrist from our camera names, as far as there are cameras."""
    left = list(image_keys)
    slots: dict[str, str | None] = {"primary": None, "secondary": None, "wrist": None}
    for slot, words in (("wrist", ("wrist", "hand")), ("primary", ("primary", "head", "front"))):
        match = next((key for word in words for key in left if word in key), None)
        if match is not None:
            slots[slot] = match
            left.remove(match)
    for slot in ("primary", "secondary"):
        if slots[slot] is None and left:
            slots[slot] = left.pop(0)
    return slots


def _variants(dim: int, has_state: bool, features: DatasetFeatures) -> list[tuple[str, str, str]]:
    encoding = "EEF_POS" if dim == ARM_NUMBERS else "JOINT_POS_BIMANUAL"
    if not has_state:
        kind = "NONE"
    elif dim == ARM_NUMBERS:
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
    who = "configs.py of OpenVLA and OFT" if dim == ARM_NUMBERS else "configs.py of OFT"
    return [(who, prismatic, encoding), ("oxe_dataset_configs.py of Octo", octo, encoding)]


def _wrist_pair(image_keys: Sequence[str]) -> str:
    """Return the two slots that OFT asks for when the mixture's name contains `aloha`."""
    pair = [(side, key) for side in ("left", "right") for key in image_keys if side in key]
    return "".join(f', "{side}_wrist": "{key}"' for side, key in pair)


def _mask_kwargs(mask: Sequence[bool]) -> str:
    absolute = [not normalised for normalised in mask]
    return (
        '        "aux_kwargs": {\n'
        f'            "absolute_action_mask": {absolute},\n'
        f'            "action_normalization_mask": {list(mask)},\n'
        "        },\n"
    )
