# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Open what a phase 1 run needs: the conversations, and the network that learns from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer

from evla_ros.data.camera_shapes import Shapes
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.config import EvlaConfig
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.from_parts.action_rows import highest_id
from evla_ros.model.instruction_corpus import instruction_corpus
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.presets import load_preset
from evla_ros.model.text_tokenizer import train_tokenizer
from evla_ros.training.errors import TrainingError
from evla_ros.training.initial_model.from_checkpoint import refuse_run_folder
from evla_ros.training.initial_model.from_preset import DEFAULT_PRESET
from evla_ros.training.initial_model.initial_model import Held
from evla_ros.training.model_changes.transplant import transplant
from evla_ros.training.objective.next_token import text_rows
from evla_ros.training.pretrain_config import PUBLISHED_LENGTH, PretrainConfig
from evla_ros.training.samples.conversation_file import ConversationFile
from evla_ros.training.samples.conversation_rows import ConversationEncoder
from evla_ros.training.samples.conversations import Conversation, Skipped, read_conversations

CONVERSATIONS = "conversations"  # folder of a run
Items = ConversationFile | Sequence[Conversation]


@dataclass(frozen=True, eq=False)
class ConversationParts:
    """What a run of phase 1 is made of; the properties are those of `phase.RunParts`.

    Attributes:
        items: All conversations.
        learned: Numbers of those to learn from.
        held_out: Numbers of those to score on.
        encoder: Turns them into tokens.
        origin: Where the network's weights come from, in words.
        contents: What the conversations hold, in words.
    """

    model: EvlaModel
    tokenizer: Tokenizer
    statistics: DatasetStatistics
    embodiment_text: str | None
    origin: str
    items: Items
    learned: np.ndarray
    held_out: np.ndarray
    encoder: ConversationEncoder
    contents: str
    notes: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    cameras: Shapes = field(default_factory=dict)
    robot: None = None
    action_names: tuple[str, ...] = ()
    action_units: tuple[str, ...] = ()

    @property
    def samples(self) -> int:
        """How many conversations there are to learn from."""
        return len(self.learned)

    @property
    def holds_out(self) -> bool:
        """Whether conversations are held out."""
        return bool(len(self.held_out))

    @property
    def rows(self) -> int:
        """How many ids may be a token of text."""
        return text_rows(self.model, highest_id(self.tokenizer.get_vocab()))


def build(
    config: PretrainConfig, *, resume: bool, tell: Callable[[str], None], held: Held = "whole"
) -> ConversationParts:
    """Read the conversations and build the network.

    Args:
        config: The settings of the run.
        resume: The run has its conversations in its folder.
        tell: Is told what is done now and may take a while.
        held: What this process holds of the network, see `Held`.

    Raises:
        TrainingError: The conversations cannot be learned from, or a setting has no effect.
    """
    tell("reading the conversations")
    kept = Path(config.output) / CONVERSATIONS
    skipped = Skipped()
    items: Items = ConversationFile(kept) if resume and ConversationFile.there(kept) else []
    if not len(items):
        items = [
            conversation
            for data in config.conversations
            for conversation in read_conversations(
                Path(data.path), Path(data.images) if data.images else None, skipped
            )
        ]
    notes = [*skipped.sentences()]
    _refuse_missing(config, skipped, len(items))
    tell("building the network")
    made = _network(config, items, held)
    model = made.model
    learned, held_out = _split(config, len(items))
    most = max(1, *(len(item.images) for item in _each(items)))
    encoder = _encoder(config, made, most)
    if not resume:
        notes += _cut_note(items, encoder, tell)
    model.config = _as_trained(model.config, learns(config))
    return replace(
        made,
        items=items,
        learned=learned,
        held_out=held_out,
        encoder=encoder,
        contents=_contents(items, skipped),
        notes=(*notes, *made.notes),
    )


def learns(config: PretrainConfig) -> tuple[str, ...]:
    """Return the names of the parts of the network that learn."""
    parts = ["projector"]
    parts += ["language_model"] if config.stage == "finetune" else []
    return (*parts, *(["backbones"] if config.vision else []))


def _each(items: Items) -> Iterator[Conversation]:
    return (items[number] for number in range(len(items)))


def _network(config: PretrainConfig, items: Items, held: Held) -> ConversationParts:
    nothing = np.zeros(0, dtype=np.int64)
    rest: tuple[Any, ...] = ((), nothing, nothing, None, "")
    if config.model.start:
        refuse_run_folder(config.model.start)
        loaded = load_checkpoint(config.model.start)
        fresh = loaded.config.untrained
        origin = config.model.start
        if fresh:
            origin += f"; RANDOM, because no part brought them: {', '.join(fresh)}"
        _refuse_frozen(config, fresh)
        tokenizer = loaded.processor.prompt_builder.tokenizer
        known = (loaded.statistics, loaded.embodiment_text, origin)
        model = transplant(loaded.model, loaded.config, copy=held == "whole")  # learns in fp32
        parts = ConversationParts(model, tokenizer, *known, *rest)
        return replace(parts, fresh=fresh)
    preset = load_preset(
        config.model.preset or DEFAULT_PRESET, proprio_dim=config.model.proprio_dim
    )
    torch.manual_seed(config.seed)
    texts = {text for item in _each(items) for turn in item.turns for text in turn}
    question = config.data.question.replace("{question}", "?")
    corpus = [*instruction_corpus(preset.prompt.template), *sorted(texts), question]
    ids = preset.action.vocabulary_size - preset.action.bins
    origin = f"RANDOM: a fresh {preset.name} knows nothing yet; `evla build` makes a checkpoint of "
    origin += "pretrained parts, --start CHECKPOINT begins with it"
    tokenizer = train_tokenizer(corpus, ids)
    with torch.device("meta" if held == "shapes" else "cpu"):
        model = EvlaModel(preset)
    statistics = DatasetStatistics({})
    return ConversationParts(model, tokenizer, statistics, None, origin, *rest)


def _refuse_frozen(config: PretrainConfig, fresh: Collection[str]) -> None:
    """Refuse to freeze encoders or a language model with random weights: they would never learn."""
    holds = {"backbones": "vision", "language_model": "stage"}
    for name in fresh:
        part = name.split(".")[0]
        if part in holds and part not in learns(config):
            fix = "set vision: true" if part == "backbones" else "use stage: finetune"
            raise TrainingError(
                f"{holds[part]}: the weights of {name} are random and would never learn; {fix}, or "
                "begin with weights for it (evla build)"
            )


def _as_trained(config: EvlaConfig, parts: Collection[str]) -> EvlaConfig:
    """Return the configuration without the marks `untrained` of the parts that learn now."""
    left = tuple(name for name in config.untrained if name.split(".")[0] not in parts)
    return config.model_copy(update={"untrained": left})


def _split(config: PretrainConfig, count: int) -> tuple[np.ndarray, np.ndarray]:
    held_out = config.data.held_out
    if held_out >= count:
        raise TrainingError(
            f"data.held_out: {held_out} of {count} conversations leave nothing to learn from"
        )
    order = np.random.default_rng([config.seed, 2]).permutation(count)
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def _encoder(config: PretrainConfig, made: ConversationParts, pictures: int) -> ConversationEncoder:
    network, asked = made.model.config, config.data.max_length
    taken = pictures * network.patches_per_camera + (network.arms if network.proprio_dim else 0)
    room = network.language_model.max_positions - taken
    if (asked or 2) > room:
        raise TrainingError(
            f"data.max_length: {asked} tokens and {pictures} picture(s) of "
            f"{network.patches_per_camera} patches exceed the "
            f"{network.language_model.max_positions} positions of {network.name}; at most "
            f"{max(room, 0)} fit"
        )
    return ConversationEncoder(
        made.tokenizer,
        network.prompt.prefix_ids,
        config.data.question,
        asked or min(PUBLISHED_LENGTH, room),
        captions=config.stage == "align",
    )


def _refuse_missing(config: PretrainConfig, skipped: Skipped, found: int) -> None:
    from evla_ros.training.samples.conversations import MISSING

    missing = skipped.counts.get(MISSING, 0)
    if missing > config.data.broken_share * (missing + found):
        raise TrainingError(
            f"conversations: {'; '.join(skipped.sentences())}; is `images` the right folder? "
            f"(data.broken_share: up to {100 * config.data.broken_share:g} % may be missing)"
        )


def _cut_note(items: Items, encoder: ConversationEncoder, tell: Callable[[str], None]) -> list[str]:
    """Return a note on conversations that are longer than a row."""
    cut = silent = 0
    for number, item in enumerate(_each(items)):
        if number % 1000 == 0:
            tell(f"counting tokens: {number} of {len(items)} conversations")
        if encoder.may_exceed(item):
            row = encoder(item)
            cut += row.cut
            silent += not any(row.learned)
    if not cut:
        return []
    text = f"{cut:,} conversations have more than {encoder.longest} tokens; the rest is cut off"
    return [text + (f", from {silent:,} of them every answer" if silent else "")]


def _contents(items: Items, skipped: Skipped) -> str:
    counts = [len(item.images) for item in _each(items)]
    text = f"{len(counts):,} conversations, {sum(counts):,} pictures"
    without, several = counts.count(0), sum(count > 1 for count in counts)
    text += f"; {without:,} without a picture" if without else ""
    text += f"; {several:,} with several" if several else ""
    left = sum(skipped.counts.values())
    return text + (f"; {left:,} conversations or turns left out" if left else "")
