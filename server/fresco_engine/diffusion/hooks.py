"""Putting guidance into a U-Net and taking it out again without a trace.

Nothing of the U-Net's own code is replaced: pre-hooks on the decoder blocks see their input
features, and attention processors are exchanged layer by layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import Any, cast

from diffusers.models.attention_processor import Attention
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from torch import Tensor, nn

from fresco_engine.diffusion.attention import (
    CrossAttention,
    GuidedAttention,
    LayerGuidance,
    RecordingAttention,
    ShownPicture,
    is_plain,
)
from fresco_engine.diffusion.guidance import GuidanceStep, Reference
from fresco_engine.diffusion.picture_prompt.prompt import PicturePrompt, cross_attentions
from fresco_engine.settings import AttentionSettings, OptimisationSettings

_GUIDED = 2
_FINEST = 3


def guided_blocks(unet: UNet2DConditionModel) -> tuple[int, ...]:
    """Decoder blocks whose self-attentions FRESCO guides: the two finest of those that have any.

    2 and 3 of Stable Diffusion 1.x's four, as in the paper, and 0 and 1 of XL's three.
    """
    attending = [
        index
        for index, block in enumerate(unet.up_blocks)
        if getattr(block, "has_cross_attention", False) and self_attentions(unet, index)
    ]
    return tuple(attending[-_GUIDED:])


def _level(unet: UNet2DConditionModel, index: int) -> int:
    """A decoder block's number as settings count: 3 is the finest, however many there are."""
    return index + 1 + _FINEST - len(unet.up_blocks)


def self_attentions(unet: UNet2DConditionModel, block: int) -> dict[str, Attention]:
    """The self-attention layers of a decoder block by their full names; empty where it has none."""
    return {
        f"up_blocks.{block}.{name}": module
        for name, module in unet.up_blocks[block].named_modules()
        if isinstance(module, Attention) and name.endswith("attn1")
    }


def guided_sizes(
    unet: UNet2DConditionModel,
    size: tuple[int, int],
    attention: AttentionSettings,
    optimisation: OptimisationSettings,
) -> tuple[tuple[int, int], ...]:
    """Sizes (h, w) of the maps that guidance will act on, of latents of `size`."""
    guides = attention.spatial or attention.cross_frame or attention.temporal
    attending = guided_blocks(unet) if guides else ()
    blocks = [
        index
        for index in range(len(unet.up_blocks))
        if (optimisation.is_on and _level(unet, index) in optimisation.blocks) or index in attending
    ]
    sizes = [size]
    for _ in unet.up_blocks[1:]:
        sizes.append(((sizes[-1][0] + 1) // 2, (sizes[-1][1] + 1) // 2))
    coarse_first = sizes[::-1]
    return tuple(dict.fromkeys(coarse_first[index] for index in blocks))


def decoder_attentions(unet: UNet2DConditionModel) -> dict[str, Attention]:
    """The self-attention layers of all decoder blocks by their full names."""
    return {
        name: attn
        for index in range(len(unet.up_blocks))
        for name, attn in self_attentions(unet, index).items()
    }


@contextmanager
def guided(
    unet: UNet2DConditionModel,
    step: GuidanceStep,
    held: Mapping[str, tuple[Tensor, Tensor]] | None = None,
) -> Iterator[None]:
    """Inside, the U-Net works on (b f) frames as the guidance of this denoising step says.

    Q and K of decoder layers that are `held` take the place of their own, f n heads d each.

    What the step leaves out is not installed and costs nothing. On leaving, by an exception too,
    the U-Net is exactly what it was. For use under `torch.no_grad`.

    Raises:
        KeyError: from the U-Net's forward, where the reference lacks what the step needs.
    """
    attending = guided_blocks(unet) if step.guides_attention else ()
    with ExitStack() as stack:
        for index, module in enumerate(unet.up_blocks):
            layers = self_attentions(unet, index) if held or index in attending else {}
            block = _GuidedBlock(step, _level(unet, index), held or {}, index in attending)
            if layers or step.optimises(_level(unet, index)):
                stack.enter_context(_features_through(module, block.adapt))
            for name, attn in layers.items():
                processor = GuidedAttention(partial(block.layer, name))
                stack.enter_context(processed_by(name, attn, processor))
        yield


class _GuidedBlock:
    """One decoder block on one step; it tells its attentions the size of the map at hand."""

    def __init__(
        self,
        step: GuidanceStep,
        level: int,
        held: Mapping[str, tuple[Tensor, Tensor]],
        is_attending: bool,
    ) -> None:
        self._step = step
        self._level = level
        self._held = held
        self._is_attending = is_attending
        self._size = (0, 0)

    def adapt(self, features: Tensor) -> Tensor:
        self._size = (features.shape[-2], features.shape[-1])
        if not self._step.optimises(self._level):
            return features
        return self._step.optimise(self._level, features)

    def layer(self, name: str) -> LayerGuidance:
        if not self._is_attending:
            return LayerGuidance(frames=self._step.frames, held=self._held.get(name))
        return replace(self._step.layer(name, *self._size), held=self._held.get(name))


@contextmanager
def recording(
    unet: UNet2DConditionModel, *, features: bool = True, attention: bool = True
) -> Iterator[Reference]:
    """Inside, one forward of the U-Net on the f input frames fills the yielded reference.

    It keeps the decoder blocks' input features and, of the guided self-attentions, Q^r and K^r;
    the pass itself stays bitwise the plain one. Memory grows with frames and pixels: SD 1.5 at
    512² in fp32 takes 17 MB a frame for features and 47 MB for attention.
    """
    reference = Reference()
    attending = guided_blocks(unet) if attention else ()
    with ExitStack() as stack:
        for index, module in enumerate(unet.up_blocks):
            if features:
                keep = partial(_keep_features, reference, _level(unet, index))
                stack.enter_context(_features_through(module, keep))
            if index in attending:
                for name, attn in self_attentions(unet, index).items():
                    processor = RecordingAttention(partial(_keep_attention, reference, name))
                    stack.enter_context(processed_by(name, attn, processor))
        yield reference


def _keep_features(reference: Reference, block: int, features: Tensor) -> Tensor:
    # A copy, because FreeU scales a block's input in place.
    reference.features[block] = features.detach().clone()
    return features


def _keep_attention(reference: Reference, name: str, query: Tensor, key: Tensor) -> None:
    reference.attention[name] = (query.detach(), key.detach())


@contextmanager
def _features_through(block: nn.Module, adapt: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Inside, the block's input features pass through `adapt` first."""

    def replace(_: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return args, {**kwargs, "hidden_states": adapt(kwargs["hidden_states"])}

    handle = block.register_forward_pre_hook(replace, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def reading(
    unet: UNet2DConditionModel,
    picture: PicturePrompt | None,
    adapt: Callable[[str, Tensor], Tensor] | None = None,
    frames: int = 0,
) -> Iterator[None]:
    """Inside, the U-Net's cross-attentions see a picture beside the prompt, for (b f) frames.

    `adapt` is given the name of each layer and its weights, as `CrossAttention` says. Without
    either nothing is installed. On leaving, the U-Net is exactly what it was.
    """
    if picture is None and adapt is None:
        yield
        return
    with ExitStack() as stack:
        for name, attn in cross_attentions(unet).items():
            shown = picture and ShownPicture(*picture.layers[name], picture.strength)
            processor = CrossAttention(shown, adapt and partial(adapt, name), frames)
            stack.enter_context(processed_by(name, attn, processor))
        yield


@contextmanager
def processed_by(
    name: str,
    attn: Attention,
    processor: GuidedAttention | RecordingAttention | CrossAttention,
) -> Iterator[None]:
    """Inside, the layer works by `processor`."""
    # The processors repeat what the stock one does for the plain kind of layer only.
    is_cross = isinstance(processor, CrossAttention)
    assert is_plain(attn, is_cross=is_cross), f"{name} is not a plain attention"
    saved = attn.processor
    attn.set_processor(cast(Any, processor))
    try:
        yield
    finally:
        attn.set_processor(saved)
