"""What words name, by a tiny network of the library's class."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes.tiny_detectors import tiny_clipseg, write_network
from fresco_engine.diffusion.detectors.named_subject import NamedSubjectDetector
from fresco_engine.diffusion.tokenizers import CLIPS
from fresco_engine.errors import InvalidSettings, ModelCorrupt, WrongModelKind
from fresco_media.types import Image
from PIL.Image import Resampling
from torch.nn import functional
from transformers import CLIPSegProcessor, CLIPTokenizer, ViTImageProcessorPil

CPU = torch.device("cpu")
MEAN, SPREAD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


def picture(height: int, width: int) -> Image:
    small = np.random.default_rng(0).integers(0, 255, (height // 8 + 1, width // 8 + 1, 3))
    return np.kron(small, np.ones((8, 8, 1)))[:height, :width].astype(np.uint8)


def by_the_library(image: Image, words: str) -> np.ndarray:
    """Chances as the library makes them with the published processing, at the picture's size."""
    pictures = ViTImageProcessorPil(
        size={"height": 352, "width": 352},
        image_mean=MEAN,
        image_std=SPREAD,
        resample=Resampling.BILINEAR,
    )
    tokenizer = CLIPTokenizer.from_pretrained(str(CLIPS), local_files_only=True)
    processor = CLIPSegProcessor(pictures, tokenizer)
    inputs = processor(text=[words], images=[image], padding="max_length", return_tensors="pt")
    odds = tiny_clipseg()(**inputs).logits[None]
    whole = functional.interpolate(odds, image.shape[:2], mode="bilinear", align_corners=False)
    return whole[0, 0].sigmoid().numpy()


# The library rounds a picture that it resizes to whole levels.
@pytest.mark.parametrize(("size", "rounding"), [((352, 352), 1e-5), ((270, 480), 0.02)])
def test_a_picture_is_seen_as_by_the_library(size: tuple[int, int], rounding: float) -> None:
    image = picture(*size)

    found = NamedSubjectDetector(tiny_clipseg(), "the red train", CPU).detect(image)

    np.testing.assert_allclose(found, by_the_library(image, "the red train"), atol=rounding)
    assert found.dtype == np.float32
    assert found.std() > 0.05


def test_other_words_find_something_else() -> None:
    image = picture(64, 96)

    found = [
        NamedSubjectDetector(tiny_clipseg(), words, CPU).detect(image)
        for words in ("the train", "a woman's face")
    ]

    assert np.abs(found[0] - found[1]).max() > 0.01


def test_more_words_than_are_read_are_refused() -> None:
    with pytest.raises(InvalidSettings, match="may have 77; use fewer words") as caught:
        NamedSubjectDetector(tiny_clipseg(), "train " * 90, CPU)

    assert caught.value.field == "subject"


def test_the_network_in_a_folder_is_loaded_whole(tmp_path: Path) -> None:
    folder, image = write_network(tiny_clipseg(), tmp_path / "subject"), picture(64, 96)

    found = NamedSubjectDetector.load(folder, "the train", CPU).detect(image)

    made = NamedSubjectDetector(tiny_clipseg(), "the train", CPU).detect(image)
    np.testing.assert_array_equal(found, made)


def test_a_network_that_is_damaged_or_reads_another_vocabulary_is_told(tmp_path: Path) -> None:
    damaged = write_network(tiny_clipseg(), tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"no weights")
    other = tiny_clipseg()
    other.clip.text_model.resize_token_embeddings(100)
    other.config.text_config.vocab_size = 100
    foreign = write_network(other, tmp_path / "foreign")

    with pytest.raises(ModelCorrupt, match=r"get the model again|download it again"):
        NamedSubjectDetector.load(damaged, "the train", CPU)
    with pytest.raises(WrongModelKind, match="knows 100 words and not CLIP's 49408"):
        NamedSubjectDetector.load(foreign, "the train", CPU)
