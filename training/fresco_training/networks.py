"""The U-Net and its ControlNet: Stable Diffusion's shape, small enough to ship."""

import torch
from diffusers import ControlNetModel, DDPMScheduler, UNet2DConditionModel
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn

from fresco_training.latents import CHANNELS
from fresco_training.text import WIDTH

BLOCKS = (48, 96, 128, 128)


def build_scheduler() -> DDPMScheduler:
    """Stable Diffusion's noise schedule, with velocity as what the network predicts."""
    return DDPMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        timestep_spacing="trailing",  # Otherwise the last of few steps would have no noise to undo.
        clip_sample=False,
        steps_offset=1,
    )


def build_unet() -> UNet2DConditionModel:
    """A fresh U-Net of four levels."""
    return UNet2DConditionModel(
        sample_size=32,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=BLOCKS,
        layers_per_block=1,
        cross_attention_dim=WIDTH,
        attention_head_dim=(1, 2, 4, 4),  # Heads, whatever the name says.
        norm_num_groups=16,
    )


def build_controlnet(unet: UNet2DConditionModel) -> ControlNetModel:
    """A ControlNet that sees its condition image from the first step.

    The stock start multiplies the image away and leaves by zero convolutions, which costs a small
    training budget dearly; U-Net and ControlNet start together here, so nothing must be protected.
    """
    controlnet = ControlNetModel.from_unet(
        unet, conditioning_embedding_out_channels=(8, 16, 32, 48)
    )
    embedding = controlnet.controlnet_cond_embedding
    for module in embedding.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            module.weight.data.mul_(1.25)
            nn.init.zeros_(module.bias)
    with torch.no_grad():
        embedded = embedding(
            torch.rand(4, 3, 8, 8).repeat_interleave(16, 2).repeat_interleave(16, 3)
        )
        embedding.conv_out.weight.mul_(0.6 / embedded.std())
        for exit_ in [*controlnet.controlnet_down_blocks, controlnet.controlnet_mid_block]:
            exit_.weight.copy_(0.5 * torch.eye(exit_.weight.shape[0])[..., None, None])
    return controlnet


class PlainAttention:
    """Attention written out in bfloat16: on one core twice as fast to train as the fused one."""

    def __call__(
        self,
        attn: Attention,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **_: object,
    ) -> Tensor:
        """hidden_states: b n c; encoder_hidden_states: b tokens c, or none for self-attention."""
        assert attn.to_k is not None
        assert attn.to_v is not None
        assert attn.to_out is not None
        context = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        query, key, value = (
            layer(states).unflatten(-1, (attn.heads, -1)).transpose(1, 2)  # b heads n d
            for layer, states in (
                (attn.to_q, hidden_states),
                (attn.to_k, context),
                (attn.to_v, context),
            )
        )
        with torch.autocast("cpu", enabled=False):
            weights = torch.softmax(query @ key.transpose(-1, -2) * attn.scale, dim=-1)
            attended = weights @ value
        return attn.to_out[0](attended.transpose(1, 2).flatten(2))
