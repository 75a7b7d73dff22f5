"""Layers of LoRA files under all the names that people's files give them."""

from __future__ import annotations

import pytest
from fakes.tiny_models import original_unet_name, tiny_text_encoder, tiny_unet
from fresco_engine.diffusion.adapters.names import (
    Owner,
    Place,
    is_beyond,
    layers_by_name,
    place_of,
)
from torch import nn

TO_Q = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
OF_Q = "down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
INNER = "encoder_layers_1_self_attn_q_proj"


@pytest.mark.parametrize(
    ("name", "owner", "layer", "part"),
    [
        (f"lora_unet_{OF_Q}.lora_down.weight", "unet", OF_Q, "down"),
        (f"lora_unet_{OF_Q}.alpha", "unet", OF_Q, "alpha"),
        (f"lycoris_unet_{OF_Q}.hada_w1_a", "unet", OF_Q, "hada_w1_a"),
        (f"unet.{TO_Q}.lora_A.weight", "unet", OF_Q, "down"),
        (f"unet.{TO_Q}.lora.up.weight", "unet", OF_Q, "up"),
        (f"base_model.model.{TO_Q}.lora_B.weight", "unet", OF_Q, "up"),
        (f"unet.base_model.model.{TO_Q}.lora_A.default.weight", "unet", OF_Q, "down"),
        (f"{TO_Q}.lora_magnitude_vector", "unet", OF_Q, "dora_scale"),
        (
            f"{TO_Q.removesuffix('.to_q')}.processor.to_q_lora.down.weight",
            *("unet", OF_Q, "down"),
        ),
        (
            f"unet.{TO_Q.removesuffix('.to_q')}.processor.to_out_lora.up.weight",
            *("unet", OF_Q.removesuffix("to_q") + "to_out_0", "up"),
        ),
        (
            "lora_te_text_model_encoder_layers_1_self_attn_q_proj.lora_up.weight",
            *("text_encoder", INNER, "up"),
        ),
        (
            "lora_te1_text_model_encoder_layers_1_self_attn_q_proj.dora_scale",
            *("text_encoder", INNER, "dora_scale"),
        ),
        (
            "text_encoder.text_model.encoder.layers.1.self_attn.q_proj.lora_A.weight",
            *("text_encoder", INNER, "down"),
        ),
        (
            "text_encoder.text_model.encoder.layers.1.self_attn.q_proj.lora_linear_layer.up.weight",
            *("text_encoder", INNER, "up"),
        ),
        (
            "text_encoder.text_model.encoder.layers.1.self_attn.to_q_lora.down.weight",
            *("text_encoder", INNER, "down"),
        ),
    ],
)
def test_every_spelling_leads_to_the_layer(name: str, owner: Owner, layer: str, part: str) -> None:
    assert place_of(name) == Place(owner, layer, part)
    network = tiny_unet() if owner == "unet" else tiny_text_encoder(60)
    assert layer in layers_by_name(owner, network)


@pytest.mark.parametrize(
    "name", [f"lora_unet_{OF_Q}.oft_blocks", f"lora_unet_{OF_Q}.on_input", "conv_in.weight"]
)
def test_what_is_of_no_known_kind_has_no_place(name: str) -> None:
    assert place_of(name) is None


@pytest.mark.parametrize(
    ("name", "beyond"),
    [
        ("lora_te2_text_model_encoder_layers_1_mlp_fc1.alpha", False),
        ("lora_prior_unet_down_blocks_0.alpha", True),
        ("lora_unet_double_blocks_0_img_attn_proj.lora_down.weight", True),
        (f"lora_unet_{OF_Q}.alpha", False),
    ],
)
def test_networks_that_this_model_has_not_are_known(name: str, beyond: bool) -> None:
    assert is_beyond(name) is beyond


def test_the_first_codes_names_lead_to_the_same_layers() -> None:
    unet = tiny_unet()
    found = layers_by_name("unet", unet)

    names = [name for name, _ in unet.named_parameters() if name.endswith(".weight")]
    assert len(names) > 100
    for name in names:
        path = name.removesuffix(".weight")
        original = original_unet_name(name).removesuffix(".weight").replace(".", "_")
        module: nn.Module = unet.get_submodule(path)
        assert found[original] is module, original
        assert found[path.replace(".", "_")] is module, path
