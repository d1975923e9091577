# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`features.json` of TFDS to and from our flat features (tfds 4.9, core/features/features_dict)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.features import DatasetFeatures, Feature, Kind

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
    """Parse `features.json`; `source` is for messages. Raises DatasetError when it is no RLDS."""
    try:
        tree = json.loads(text)
        top = tree["featuresDict"]["features"]
        steps_node = top["steps"]["sequence"]["feature"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(
            f"{source} does not describe an RLDS dataset: it needs a `steps` dataset feature"
        ) from error
    steps: dict[str, Feature] = {}
    _flatten(steps_node, "", steps)
    metadata: dict[str, Feature] = {}
    nested = _METADATA in top
    for name, node in top.items():
        if name != "steps":
            _flatten(node, "" if name == _METADATA else name, metadata)
    return DatasetFeatures(steps, metadata, _METADATA + "/" if nested else "")


def _flatten(node: Any, key: str, out: dict[str, Feature]) -> None:
    if not isinstance(node, dict):
        raise DatasetError(f"features.json: feature {key!r} is no JSON object")
    children = node.get("featuresDict")
    if children is not None:
        for name, child in children.get("features", {}).items():
            _flatten(child, f"{key}/{name}" if key else name, out)
    else:
        out[key] = _leaf_from_node(node)


def _leaf_from_node(node: Node) -> Feature:
    python_class = str(node.get("pythonClassName", ""))
    kind = _KIND.get(python_class.rsplit(".", 1)[-1])
    body: Node = node.get("image") or node.get("tensor") or node.get("text") or {}
    description = str(node.get("description", ""))
    if kind == "text":
        return Feature("text", (), "string", "none", description)
    dimensions = body.get("shape", {}).get("dimensions", [])
    shape = tuple(None if int(size) < 0 else int(size) for size in dimensions)
    dtype = str(body.get("dtype", "float32"))
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
    return Feature("unsupported", shape, dtype, "none", f"{python_class} is not read")


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
            f"cannot write a feature of kind {feature.kind!r}: {feature.description}"
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
