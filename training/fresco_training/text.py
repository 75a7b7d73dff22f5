"""The text side: a byte-pair tokenizer made from our own words, and a small CLIP text encoder."""

import collections
import itertools
import json
from pathlib import Path

import numpy as np
import torch
from tokenizers.pre_tokenizers import ByteLevel
from torch import Tensor
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from fresco_training import prompts
from fresco_training.data import STYLE_NAMES

WIDTH = 128
LENGTH = 77
BEGIN, END = "<|startoftext|>", "<|endoftext|>"
WORD_END = "</w>"


def build_tokenizer(folder: Path, merges: int = 900) -> CLIPTokenizer:
    """Writes vocab.json and merges.txt to `folder` and loads them; every byte has a token."""
    folder.mkdir(parents=True, exist_ok=True)
    learned = _learn_merges(collections.Counter(prompts.vocabulary()), merges)
    letters = sorted(ByteLevel.alphabet())
    tokens = letters + [letter + WORD_END for letter in letters]
    tokens += [a + b for a, b in learned]
    tokens = [*dict.fromkeys(tokens), BEGIN, END]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False), encoding="utf-8")
    lines = ["#version: 0.2", *(f"{a} {b}" for a, b in learned)]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    tokenizer = CLIPTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), model_max_length=LENGTH
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def _learn_merges(words: collections.Counter[str], limit: int) -> list[tuple[str, str]]:
    """Byte-pair encoding: joins the commonest neighbours, `limit` times at most."""
    pieces = {w: [*w[:-1], w[-1] + WORD_END] for w in words if w.isascii()}
    learned: list[tuple[str, str]] = []
    while len(learned) < limit:
        pairs: collections.Counter[tuple[str, str]] = collections.Counter()
        for word, parts in pieces.items():
            for pair in itertools.pairwise(parts):
                pairs[pair] += words[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        learned.append(best)
        pieces = {word: _join(parts, best) for word, parts in pieces.items()}
    return learned


def _join(parts: list[str], pair: tuple[str, str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and (joined[-1], part) == pair:
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def build_encoder(tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """A CLIP text encoder of two layers with fresh weights."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=4 * WIDTH,
        projection_dim=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=LENGTH,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPTextModel(config)


def tokenize(tokenizer: CLIPTokenizer, texts: list[str]) -> Tensor:
    """Token ids (b, 77), padded and cut as Stable Diffusion does."""
    encoded = tokenizer(
        texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
    )
    return encoded.input_ids


def pretrain(
    encoder: CLIPTextModel,
    tokenizer: CLIPTokenizer,
    steps: int,
    seed: int,
    batch: int = 48,
    rate: float = 1e-3,
) -> float:
    """Teaches the encoder to tell the styles apart before any picture is seen; last accuracy.

    Cheap, and it saves the U-Net the time in which all prompts look alike.
    """
    rng = np.random.default_rng(seed)
    head = torch.nn.Linear(WIDTH, len(STYLE_NAMES))
    weights = [*encoder.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=rate, weight_decay=1e-3)
    accuracy = 0.0
    for step in range(steps):
        labels = torch.from_numpy(rng.integers(0, len(STYLE_NAMES), batch))
        texts = [prompts.prompt(STYLE_NAMES[label], rng) for label in labels]
        states = encoder(tokenize(tokenizer, texts)).last_hidden_state  # b 77 c
        scores = head(states.mean(dim=1))
        loss = torch.nn.functional.cross_entropy(scores, labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        hit = (scores.argmax(1) == labels).float().mean().item()
        accuracy += (hit - accuracy) * (0.05 if step else 1.0)
    return accuracy
