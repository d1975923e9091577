# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The table of a language model, cut or lengthened to the rows of the network, with action rows.

Action tokens get rows of their own: each begins at the mean of the trained rows plus a little noise
(a hundredth of their spread), so that at first no action is likelier than a word.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from evla_ros.model.config import EvlaConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.decoder import HEAD, TABLE
from evla_ros.model.stored import Stored

SPREAD = 0.01
SAMPLE = 16384
MULTIPLE = 64  # rows of a table, as GPUs like them


def highest_id(vocabulary: dict[str, int]) -> int:
    """Return the number of ids that a tokenizer may give: its highest one plus 1."""
    return 1 + max(vocabulary.values(), default=-1)


def with_action_rows(
    tensors: dict[str, Stored], config: EvlaConfig, text_ids: int, seed: int
) -> tuple[dict[str, Stored], list[str]]:
    """Bring the embedding table and the output table to `vocabulary_rows`.

    Args:
        tensors: the decoder's, under our names.
        config: the network's.
        text_ids: ids that the tokenizer may give; their rows stay as they are.
        seed: of the noise.

    Returns:
        The tensors, and a note on each thing that was done.

    Raises:
        CheckpointError: the action tokens would lie on some text tokens but not among the last.
    """
    action, rows = config.action, config.language_model.vocabulary_rows
    first = action.vocabulary_size - action.bins
    if first < text_ids < action.vocabulary_size:
        raise CheckpointError(
            f"the tokenizer has {text_ids} ids, the action tokens begin at {first}: set "
            f"action.vocabulary_size to {text_ids + action.bins} or more"
        )
    trained = tensors[TABLE].shape[0]
    if rows < text_ids:
        raise CheckpointError(
            f"the network has {rows} rows, the tokenizer {text_ids} ids: set "
            f"language_model.vocabulary_rows to {trained}"
        )
    notes = []
    if rows != trained:
        verb = "cut" if rows < trained else "lengthened"
        notes.append(f"table {verb} from {trained} to {rows} rows")
    own = first >= text_ids
    if own:
        notes.append(f"rows {first} to {first + action.bins - 1} are the action tokens, drawn")
        notes[-1] += " near the mean of the text's rows"
    else:
        notes.append(f"action tokens replace the text tokens {first} to {first + action.bins - 1}")
    changed = dict(tensors)
    names = [TABLE, *(name for name in (HEAD + "weight", HEAD + "bias") if name in tensors)]
    for name in names:
        old = tensors[name]
        change = _change(rows, min(text_ids, trained), first, action.bins if own else 0, seed)
        changed[name] = old.then(change, rows, *old.shape[1:])
    return changed, notes


def _change(
    rows: int, text_ids: int, first: int, bins: int, seed: int
) -> Callable[[Tensor], Tensor]:
    def change(table: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(seed)
        result = table.new_empty(rows, *table.shape[1:])
        kept = min(rows, len(table))
        result[:kept] = table[:kept]
        mean, spread = _moments(table[:text_ids])
        for start, stop in ((kept, rows), (first, first + bins)):
            noise = torch.randn(max(0, stop - start), *table.shape[1:], generator=generator)
            result[start:stop] = (mean + SPREAD * spread * noise).to(table.dtype)
        return result

    return change


def _moments(table: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the rows; of many, evenly spaced ones will do."""
    sample = table[:: -(-len(table) // SAMPLE)].float()
    return sample.mean(0), sample.std(0, correction=0)
