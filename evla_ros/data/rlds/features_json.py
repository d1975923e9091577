# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert TFDS's `features.json` to and from flat features (tfds 4.9, features_dict)."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.features import READABLE_DTYPES, DatasetFeatures, Feature, Kind
from evla_ros.errors import shorten
from evla_ros.reading.text_files import parse_json

_ROOT = "tensorflow_datasets.core.features."
_DICT = _ROOT + "features_dict.FeaturesDict"
_STEPS = _ROOT + "dataset_feature.Dataset"
_CLASS: dict[Kind, str] = {
    "image": _ROOT + "image_feature.Image",
    "tensor": _ROOT + "tensor_feature.Tensor",
    "scalar": _ROOT + "scalar.Scalar",
    "text": _ROOT + "text_feature.Text",
}
_KIND = {name.rsplit(".", 1)[1]: kind for kind, name in _CLASS.items()}
_METADATA = "episode_metadata"
_WHOLE = re.compile(r"-?\d{1,10}", re.ASCII)
_MOST_DIMENSIONS, _MOST_VALUES = 8, 1 << 31

Node = dict[str, Any]


def to_json(features: DatasetFeatures) -> str:
    """Return the text of `features.json`, keys sorted."""
    steps = _node_of_tree(_unflatten(features.steps))
    top: Node = {
        "steps": {
            "pythonClassName": _STEPS,
            "sequence": {"feature": steps, "length": "-1"},
        }
    }
    metadata = {name: _leaf_to_node(feature) for name, feature in features.metadata.items()}
    if features.metadata_prefix and metadata:
        top[_METADATA] = _dict_node(metadata)
    else:
        top.update(metadata)
    return json.dumps(_dict_node(top), indent=4, sort_keys=True) + "\n"


def from_json(text: str, source: str) -> DatasetFeatures:
    """Parse `features.json`.

    Args:
        text: The content of the file.
        source: Its name, for messages.

    Raises:
        DatasetError: It does not describe an RLDS dataset.
    """
    tree = parse_json(text, source, DatasetError)
    try:
        top = tree["featuresDict"]["features"]
        steps_node = top["steps"]["sequence"]["feature"]
        others = {name: node for name, node in top.items() if name != "steps"}
    except (KeyError, TypeError, AttributeError) as error:
        raise DatasetError(
            f"{source} does not describe an RLDS dataset: it needs a `steps` dataset feature"
        ) from error
    steps: dict[str, Feature] = {}
    metadata: dict[str, Feature] = {}
    nested = _METADATA in top
    try:
        _flatten(steps_node, "", steps)
        for name, node in others.items():
            _flatten(node, "" if name == _METADATA else name, metadata)
    except _BadFeatureError as error:
        raise DatasetError(f"{source}: {error}") from error
    return DatasetFeatures(steps, metadata, _METADATA + "/" if nested else "")


def _flatten(node: Any, key: str, out: dict[str, Feature]) -> None:
    children = _object(node, f"feature {shorten(repr(key))}").get("featuresDict")
    if children is None:
        out[key] = _leaf_from_node(node, key)
        return
    where = f"the features of {shorten(repr(key))}"
    for name, child in _object(_object(children, where).get("features", {}), where).items():
        _flatten(child, f"{key}/{name}" if key else name, out)


class _BadFeatureError(Exception):
    """A node that is no feature; the sentence lacks the name of the file."""


def _object(node: Any, what: str) -> Node:
    if not isinstance(node, dict):
        raise _BadFeatureError(f"{what} is no JSON object")
    return node


def _leaf_from_node(node: Node, key: str) -> Feature:
    where = f"feature {shorten(repr(key))}"
    python_class = str(node.get("pythonClassName", ""))
    kind = _KIND.get(python_class.rsplit(".", 1)[-1])
    body = _object(node.get("image") or node.get("tensor") or node.get("text") or {}, where)
    description = str(node.get("description", ""))
    if kind == "text":
        return Feature("text", (), "string", "none", description)
    shape = _shape(_object(body.get("shape", {}), where).get("dimensions", []), where)
    dtype = str(body.get("dtype", "float32"))
    if dtype != "string" and dtype not in READABLE_DTYPES:
        return Feature("unsupported", shape, "float32", "none", f"{shorten(dtype)} is not read")
    if kind == "image":
        encoding = str(body.get("encodingFormat", "png")) or "png"
        return Feature("image", shape, dtype, encoding, description)
    if kind in ("tensor", "scalar") and None not in shape:
        if dtype == "string":
            return Feature(
                "text" if not shape else "unsupported",
                shape,
                dtype,
                "none",
                description,
            )
        return Feature(kind, shape, dtype, str(body.get("encoding", "none")), description)
    return Feature("unsupported", shape, dtype, "none", f"{shorten(python_class)} is not read")


def _shape(dimensions: Any, where: str) -> tuple[int | None, ...]:
    """Return the sizes that TFDS writes as texts; negative ones are open."""
    if not isinstance(dimensions, list) or len(dimensions) > _MOST_DIMENSIONS:
        raise _BadFeatureError(f"{where}: the shape {shorten(repr(dimensions))} is no short list")
    sizes = []
    for written in dimensions:
        if isinstance(written, bool) or not _WHOLE.fullmatch(str(written)):
            raise _BadFeatureError(f"{where}: {shorten(repr(written))} is no size")
        sizes.append(int(written))
    if math.prod(max(size, 1) for size in sizes) > _MOST_VALUES:
        raise _BadFeatureError(f"{where}: no step holds so many numbers: {sizes}")
    return tuple(None if size < 0 else size for size in sizes)


def _leaf_to_node(feature: Feature) -> Node:
    shape: Node = {"dimensions": [str(size) for size in feature.shape]} if feature.shape else {}
    node: Node
    if feature.kind == "image":
        body = {
            "shape": shape,
            "dtype": feature.dtype,
            "encodingFormat": feature.encoding,
        }
        node = {"image": body}
    elif feature.kind == "text":
        node = {"text": {}}
    elif feature.kind in ("tensor", "scalar"):
        body = {"shape": shape, "dtype": feature.dtype, "encoding": feature.encoding}
        node = {"tensor": body}
    else:
        raise DatasetError(
            f"cannot write a feature of kind {feature.kind!r}: {shorten(feature.description)}"
        )
    node["pythonClassName"] = _CLASS[feature.kind]
    if feature.description:
        node["description"] = feature.description
    return node


def _unflatten(features: Mapping[str, Feature]) -> Node:
    tree: Node = {}
    for key, feature in features.items():
        *folders, name = key.split("/")
        branch = tree
        for folder in folders:
            branch = branch.setdefault(folder, {})
        branch[name] = feature
    return tree


def _node_of_tree(tree: Node) -> Node:
    children: Node = {}
    for name, value in tree.items():
        is_leaf = isinstance(value, Feature)
        children[name] = _leaf_to_node(value) if is_leaf else _node_of_tree(value)
    return _dict_node(children)


def _dict_node(children: Node) -> Node:
    return {"pythonClassName": _DICT, "featuresDict": {"features": children}}
