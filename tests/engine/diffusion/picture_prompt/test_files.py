"""IP-Adapters and image encoders are told by their tensors; what does not fit is said before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from fresco_engine.diffusion.detectors.places import DetectorPlaces
from fresco_engine.diffusion.library import Library
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.picture_prompt.adapter import load_adapter
from fresco_engine.diffusion.picture_prompt.encoder import (
    PictureEncoder,
    load_encoder,
    middle_square,
)
from fresco_engine.diffusion.picture_prompt.finding import find_adapter, find_encoder
from fresco_engine.diffusion.picture_prompt.prompt import cross_attentions
from fresco_engine.diffusion.weights import WeightsKind, kind_of, read_header
from fresco_engine.errors import ModelCorrupt, ModelError, ModelNotFound, WrongModelKind
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from tests.fakes.tiny_ip_adapter import HIDDEN, SAID, write_image_encoder, write_ip_adapter
from tests.fakes.tiny_models import tiny_unet, write_lora


@pytest.fixture
def offline(tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A model with an empty folder of models, and nothing from the hub."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    return replace(tiny_model, library=Library((tmp_path,)), detectors=DetectorPlaces(offline=True))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"ip_adapter__1__to_k_ip__weight": torch.zeros(32, 2048)},
            "this IP-Adapter is made for Stable Diffusion XL; choose one made for this model, as "
            "ip-adapter_sd15 for Stable Diffusion 1.5",
        ),
        (
            {"ip_adapter__1__to_k_ip__weight": torch.zeros(320, 64)},
            "this IP-Adapter is made for another kind of model; choose",
        ),
        (
            {"ip_adapter__5__to_k_ip__weight": None, "ip_adapter__5__to_v_ip__weight": None},
            "this IP-Adapter is made for another kind of model; choose",
        ),
        (
            {
                "image_proj__proj__weight": None,
                "image_proj__proj__0__weight": torch.zeros(64, 32),
                "image_proj__proj__2__weight": torch.zeros(64, 64),
                "ip_adapter__0__to_q_lora__down__weight": torch.zeros(4, 32),
            },
            "this IP-Adapter wants a face that another program has recognised (FaceID), which is "
            "not done here; choose ip-adapter_sd15, or ip-adapter-plus-face_sd15 for faces",
        ),
    ],
    ids=["XL", "wider", "fewer layers", "FaceID"],
)
def test_an_adapter_that_does_not_fit_is_refused(
    tmp_path: Path, changes: dict[str, torch.Tensor | None], reason: str
) -> None:
    path = write_ip_adapter(tmp_path / "one.safetensors", tiny_unet(), **changes)

    with pytest.raises(WrongModelKind) as caught:
        load_adapter(path, tiny_unet())

    assert caught.value.reason.startswith(reason)


@pytest.mark.parametrize(
    "changes",
    [
        {"image_proj__proj__bias": None},
        {"ip_adapter__3__to_v_ip__weight": None},
        {"ip_adapter__3__to_v_ip__weight": torch.zeros(64, 32)},
        {"image_proj__norm__weight": torch.ones(32), "image_proj__norm__bias": torch.ones(32)},
    ],
    ids=["no bias", "no V", "another V", "other words"],
)
def test_an_incomplete_adapter_is_told(
    tmp_path: Path, changes: dict[str, torch.Tensor | None]
) -> None:
    path = write_ip_adapter(tmp_path / "one.safetensors", tiny_unet(), **changes)

    with pytest.raises(ModelCorrupt, match="do not make a complete IP-Adapter"):
        load_adapter(path, tiny_unet())


def test_an_adapter_of_any_precision_is_read_as_it_was_stored(tmp_path: Path) -> None:
    unet = tiny_unet()
    whole = load_adapter(write_ip_adapter(tmp_path / "one.safetensors", unet), unet)
    (key, value), *_ = whole.layers
    halved = write_ip_adapter(
        tmp_path / "two.safetensors", unet, ip_adapter__1__to_k_ip__weight=key.half()
    )

    layers = load_adapter(halved, unet).layers

    assert torch.equal(layers[0][0], key.half())
    assert torch.equal(layers[0][1], value)
    assert whole.width == SAID
    assert not whole.reads_patches


def test_other_files_are_called_what_they_are(tmp_path: Path, offline: Model) -> None:
    adapter = write_ip_adapter(tmp_path / "one.safetensors", tiny_unet())
    encoder = write_image_encoder(tmp_path / "clip.safetensors")
    write_lora(tmp_path / "lora.safetensors")

    with pytest.raises(WrongModelKind, match="this is a LoRA, not an IP-Adapter"):
        load_adapter(tmp_path / "lora.safetensors", tiny_unet())
    with pytest.raises(WrongModelKind, match="this is an IP-Adapter, not CLIP's image encoder"):
        load_encoder(adapter, torch.float32)
    with pytest.raises(WrongModelKind, match=r"\.bin files can run code"):
        load_adapter(tmp_path / "ip-adapter_sd15.bin", tiny_unet())
    with pytest.raises(WrongModelKind, match="this is a folder; name the IP-Adapter's"):
        find_adapter(str(tmp_path), offline)
    assert kind_of(read_header(encoder)) is WeightsKind.IMAGE_ENCODER
    assert kind_of(read_header(adapter)) is WeightsKind.IP_ADAPTER


def test_one_file_holds_the_same_encoder_as_a_folder(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 50, 3)).astype(np.uint8)
    places = (tmp_path / "image_encoder", tmp_path / "clip_vision" / "vit.safetensors")
    folder, file = (
        PictureEncoder(load_encoder(write_image_encoder(place), torch.float32)) for place in places
    )

    for by_patch in (False, True):
        assert torch.equal(
            folder.read(image, by_patch=by_patch), file.read(image, by_patch=by_patch)
        )
    assert folder.read(image, by_patch=False).shape == (2, SAID)
    assert folder.read(image, by_patch=True).shape == (2, 5, HIDDEN)


@pytest.mark.parametrize("size", [(224, 224), (300, 451), (777, 301), (50, 90), (28, 3000)])
def test_a_picture_is_prepared_as_clip_prepares_it(size: tuple[int, int]) -> None:
    random = np.random.default_rng(1)
    image = random.integers(0, 255, (*size, 3)).astype(np.uint8)

    ours = middle_square(image, 224)

    prepared = CLIPImageProcessorPil(do_normalize=False, do_rescale=False)(image)["pixel_values"][0]
    theirs = np.asarray(prepared).transpose(1, 2, 0)
    assert np.abs(ours.astype(int) - theirs.astype(int)).max() <= 1


def test_adapters_and_encoders_are_found_where_other_programs_keep_them(
    tmp_path: Path, offline: Model
) -> None:
    models = tmp_path / "models"
    plus = write_ip_adapter(
        models / "ipadapter" / "ip-adapter-plus_sd15.safetensors", offline.unet, "plus"
    )
    encoder = write_image_encoder(models / "clip_vision" / "CLIP-ViT-H-14.safetensors")

    assert find_adapter(None, offline) == plus
    plain = write_ip_adapter(models / "ControlNet" / "ip-adapter_sd15.safetensors", offline.unet)
    assert find_adapter(None, offline) == plain
    assert find_adapter("IP-Adapter-Plus_SD15", offline) == plus
    for path in (plus, plain):
        assert find_encoder(load_adapter(path, offline.unet), offline) == encoder
    beside = write_image_encoder(plus.parent / "image_encoder")
    assert find_encoder(load_adapter(plus, offline.unet), offline) == beside
    foldered = write_image_encoder(models / "clip_vision" / "vit-h")
    encoder.unlink()
    assert find_encoder(load_adapter(plain, offline.unet), offline) == foldered
    flat = write_image_encoder(tmp_path / "encoder.safetensors")
    assert find_encoder(load_adapter(plain, offline.unet), offline) == flat


def test_what_is_not_there_is_told_with_what_to_do(tmp_path: Path, offline: Model) -> None:
    def told(error: type[ModelError], find: object) -> str:
        with pytest.raises(error) as caught:
            find()  # pyright: ignore
        return caught.value.reason

    assert told(ModelNotFound, lambda: find_adapter(None, offline)) == (
        "no picture can be shown to this model, as no IP-Adapter is known for its shape; use a "
        "Stable Diffusion 1.5 model, or name one made for this as “Reference model”"
    )
    path = write_ip_adapter(tmp_path / "ipadapter" / "style.safetensors", offline.unet)
    assert "(near it: style); check the name" in told(
        ModelNotFound, lambda: find_adapter("styles", offline)
    )
    adapter = load_adapter(path, offline.unet)
    write_image_encoder(path.parent / "image_encoder", said=16)
    assert told(ModelNotFound, lambda: find_encoder(adapter, offline)) == (
        "the image encoder that this IP-Adapter is made for, one that gives 24 numbers, is not on "
        "this machine (image_encoder gives 16 numbers); put its folder as image_encoder beside "
        "the IP-Adapter, or its file into clip_vision in a folder of models"
    )
    huge = told(ModelNotFound, lambda: find_encoder(replace(adapter, width=1024), offline))
    assert "CLIP ViT-H/14 (2.5 GB)" in huge
    assert "'hf download h94/IP-Adapter models/image_encoder/config.json" in huge


def unet_of_sd15() -> UNet2DConditionModel:
    """Stable Diffusion 1.5's U-Net, without numbers."""
    with torch.device("meta"):
        return UNet2DConditionModel(cross_attention_dim=768)


def test_layers_of_stable_diffusion_have_the_order_of_published_adapters() -> None:
    layers = cross_attentions(unet_of_sd15())

    down, up = [320, 320, 640, 640, 1280, 1280], [1280] * 3 + [640] * 3 + [320] * 3
    assert [attn.inner_dim for attn in layers.values()] == [*down, *up, 1280]
    assert {attn.cross_attention_dim for attn in layers.values()} == {768}


def test_what_the_hub_has_is_asked_for_by_models_of_stable_diffusions_shape(
    offline: Model,
) -> None:
    with pytest.raises(ModelNotFound) as caught:
        find_adapter(None, replace(offline, unet=unet_of_sd15()))

    assert "'hf download h94/IP-Adapter models/ip-adapter_sd15.safetensors" in caught.value.reason
    assert caught.value.reason.endswith("or leave out “Reference”")
