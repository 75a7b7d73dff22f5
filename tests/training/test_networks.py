import pytest
import torch
from diffusers.models.attention_processor import Attention
from fresco_training.latents import CHANNELS
from fresco_training.networks import PlainAttention, build_controlnet, build_unet


@pytest.mark.parametrize("context", [None, torch.randn(2, 7, 48)], ids=["self", "cross"])
def test_plain_attention_equals_the_stock_one(context: torch.Tensor | None) -> None:
    torch.manual_seed(0)
    attention = Attention(
        32, cross_attention_dim=None if context is None else 48, heads=2, dim_head=16
    )
    states = torch.randn(2, 9, 32)

    with torch.no_grad():
        stock = attention(states, encoder_hidden_states=context)
        attention.set_processor(PlainAttention())
        plain = attention(states, encoder_hidden_states=context)

    torch.testing.assert_close(plain, stock, atol=1e-5, rtol=1e-5)


def test_a_fresh_controlnet_already_sees_its_image() -> None:
    torch.manual_seed(0)
    controlnet = build_controlnet(build_unet()).eval()
    noisy, states = torch.zeros(2, CHANNELS, 8, 8), torch.zeros(2, 77, 128)
    images = torch.stack([torch.zeros(3, 64, 64), torch.rand(3, 64, 64)])

    with torch.no_grad():
        down, middle = controlnet(noisy, 500, states, images, return_dict=False)

    assert (down[0][0] - down[0][1]).abs().mean() > 0.05
    assert (middle[0] - middle[1]).abs().max() > 1e-3
