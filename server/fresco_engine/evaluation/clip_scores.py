"""Whether frames look like the prompt, and like each other, by CLIP: Fram-Acc and Tem-Con."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from fresco_media.types import Image
from PIL import Image as Pictures
from torch import Tensor

from fresco_engine.diffusion.folders import load_clip, load_tokenizer
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sources import cached_folder, weight_files
from fresco_engine.errors import ModelNotFound
from fresco_engine.evaluation.means import mean_of

HUB_MODELS = ("openai/clip-vit-large-patch14", "openai/clip-vit-base-patch32")
"""Models that are taken from the hub's cache if one of them is there."""

# What CLIP was trained with (arXiv:2103.00020).
_MEAN = np.array((0.48145466, 0.4578275, 0.40821073), np.float32)
_DEVIATION = np.array((0.26862954, 0.26130258, 0.27577711), np.float32)


def cached_clip() -> Path | None:
    """The folder of a CLIP model in the hub's cache; nothing is downloaded."""
    found = (cached_folder(hub_id, "config.json") for hub_id in HUB_MODELS)
    return next((folder for folder in found if folder and weight_files(folder)), None)


class ClipEncoder:
    """A CLIP model of transformers: pictures and texts as unit vectors of one space."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self._model = model.eval()
        self._tokenizer = tokenizer

    @staticmethod
    def load(folder: Path) -> ClipEncoder:
        """The model in a folder with config.json, .safetensors weights and tokenizer.

        Raises:
            ModelNotFound: there is none.
            ModelCorrupt: files are missing or damaged.
            WrongModelKind: the weights are pickles.
        """
        if not (folder / "config.json").is_file():
            raise ModelNotFound(
                folder,
                "the folder holds no CLIP model; give one with a config.json, .safetensors "
                f"weights and tokenizer, such as a copy of {HUB_MODELS[0]}",
            )
        with quiet_libraries():
            model = load_clip(folder)
        return ClipEncoder(model, load_tokenizer(folder))

    @torch.no_grad()
    def picture(self, image: Image) -> Tensor:
        """(c,): a picture. Like in training, its middle square is looked at, scaled bicubically."""
        side = int(self._model.config.vision_config.image_size)
        pixels = self._model.vision_model(pixel_values=_prepared(image, side)).pooler_output
        return _unit(self._model.visual_projection(pixels))

    @torch.no_grad()
    def text(self, words: str) -> Tensor:
        """(c,): a text; what is longer than the model takes is cut off."""
        room = int(self._model.config.text_config.max_position_embeddings)
        with quiet_libraries():
            ids = self._tokenizer(
                [words], max_length=room, truncation=True, return_tensors="pt"
            ).input_ids
        return _unit(self._model.text_projection(self._model.text_model(ids).pooler_output))


@dataclass(frozen=True, eq=False)
class ClipScores:
    """What frames are held against: the prompt, and what the source was, each a unit vector."""

    encoder: ClipEncoder
    prompt: Tensor | None = None
    source_prompt: Tensor | None = None

    @staticmethod
    def of(encoder: ClipEncoder, prompt: str | None, source_prompt: str | None) -> ClipScores:
        """The scores for these words; without both of them Fram-Acc is left out."""
        words = (None if text is None else encoder.text(text) for text in (prompt, source_prompt))
        return ClipScores(encoder, *words)


class Likeness:
    """Fram-Acc and Tem-Con of one result (section 4.1 of FRESCO, arXiv:2403.12962)."""

    def __init__(self, scores: ClipScores) -> None:
        self._scores = scores
        self._before: Tensor | None = None
        self._alike: list[float] = []
        self._accurate: list[bool] = []

    def add(self, picture: Image) -> None:
        """Take in the next frame."""
        seen = self._scores.encoder.picture(picture)
        if self._before is not None:
            self._alike.append(float(self._before @ seen))
        self._before = seen
        prompt, source_prompt = self._scores.prompt, self._scores.source_prompt
        if prompt is not None and source_prompt is not None:
            self._accurate.append(bool(seen @ prompt > seen @ source_prompt))

    @property
    def frame_accuracy(self) -> float:
        """Share of frames that are more like the prompt than like what the source was."""
        return mean_of(self._accurate) if self._accurate else math.nan

    @property
    def temporal_consistency(self) -> float:
        """Mean cosine of consecutive frames; `nan` for fewer than two."""
        return mean_of(self._alike)


def _prepared(image: Image, side: int) -> Tensor:
    """(1, 3, side, side): the middle of a picture as CLIP is given it."""
    height, width = image.shape[:2]
    scale = side / min(height, width)
    size = max(side, round(width * scale)), max(side, round(height * scale))
    scaled = np.asarray(Pictures.fromarray(image).resize(size, Pictures.Resampling.BICUBIC))
    left, top = (size[0] - side) // 2, (size[1] - side) // 2
    middle = scaled[top : top + side, left : left + side].astype(np.float32) / np.float32(255)
    levels = (middle - _MEAN) / _DEVIATION
    return torch.from_numpy(levels).permute(2, 0, 1)[None]


def _unit(rows: Tensor) -> Tensor:
    """The one row of (1, c) at a length of 1."""
    return torch.nn.functional.normalize(rows[0].float(), dim=0)
