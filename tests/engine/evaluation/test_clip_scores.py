"""Fram-Acc and Tem-Con by a CLIP model with random weights."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from fresco_engine.errors import ModelCorrupt, ModelNotFound
from fresco_engine.evaluation.clip_scores import ClipEncoder, ClipScores, Likeness
from fresco_media.types import Image
from transformers import CLIPModel

from tests.engine.evaluation.conftest import texture
from tests.fakes.tiny_models import write_clip_model


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CLIP model with its tokenizer."""
    return write_clip_model(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="session")
def encoder(folder: Path) -> ClipEncoder:
    """A tiny random CLIP model."""
    return ClipEncoder.load(folder)


def _likeness(scores: ClipScores, *pictures: Image) -> Likeness:
    likeness = Likeness(scores)
    for picture in pictures:
        likeness.add(picture)
    return likeness


def test_the_score_of_a_picture_and_a_text_is_that_of_the_library(
    folder: Path, encoder: ClipEncoder
) -> None:
    picture, model = texture(32, 32), CLIPModel.from_pretrained(folder)
    ids = encoder._tokenizer(["a blue o"], return_tensors="pt").input_ids
    mean = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
    deviation = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)
    pixels = torch.from_numpy((picture / np.float32(255) - mean) / deviation)

    with torch.no_grad():
        whole = model(input_ids=ids, pixel_values=pixels.permute(2, 0, 1)[None])
        cosine = whole.logits_per_image[0, 0] / model.logit_scale.exp()

    own = encoder.picture(picture) @ encoder.text("a blue o")
    assert float(own) == pytest.approx(float(cosine), abs=1e-5)


def test_a_wide_picture_is_seen_by_its_middle(encoder: ClipEncoder) -> None:
    wide, other = texture(32, 64), texture(32, 64, 1)
    other[:, 16:48] = wide[:, 16:48]

    assert torch.equal(encoder.picture(wide), encoder.picture(other))


def test_frames_that_are_alike_are_consistent_in_time(encoder: ClipEncoder) -> None:
    scores = ClipScores(encoder)
    alike = _likeness(scores, *[texture()] * 3).temporal_consistency
    changing = _likeness(scores, texture(), 255 - texture(), texture()).temporal_consistency

    assert alike == pytest.approx(1)
    assert changing < alike
    assert math.isnan(_likeness(scores, texture()).temporal_consistency)


def test_frame_accuracy_is_the_share_of_frames_that_are_nearer_to_the_prompt(
    encoder: ClipEncoder,
) -> None:
    painted, real = texture(seed=1), np.full((48, 64, 3), 40, np.uint8)
    # What the frames themselves look like stands in for texts that say it.
    scores = ClipScores(encoder, encoder.picture(painted), encoder.picture(real))

    likeness = _likeness(scores, painted, real, painted, painted)

    assert likeness.frame_accuracy == 0.75


def test_without_a_prompt_of_the_source_there_is_no_frame_accuracy(encoder: ClipEncoder) -> None:
    scores = ClipScores.of(encoder, "a blue o", None)

    assert math.isnan(_likeness(scores, texture()).frame_accuracy)


def test_a_text_that_is_too_long_is_cut_off(encoder: ClipEncoder) -> None:
    words = "a blue o " * 100

    assert encoder.text(words).isfinite().all()


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="holds no CLIP model"):
        ClipEncoder.load(tmp_path)


def test_a_model_for_texts_alone_is_refused(tmp_path: Path) -> None:
    write_clip_model(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["vision_config"]["num_hidden_layers"] = 3
    (tmp_path / "config.json").write_text(json.dumps(config))

    with pytest.raises(ModelCorrupt, match="get the model again"):
        ClipEncoder.load(tmp_path)
