"""What a batch will cost, told from the shapes of a model alone: memory, and arithmetic.

The denoising of a batch is gone through on torch's device "meta", where tensors have a shape and a
precision but no numbers: the very code that will run, in seconds and without the memory.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable
from contextlib import nullcontext
from copy import copy
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from fresco_engine.correspondence.batch import BatchCorrespondence
from fresco_engine.diffusion.added_conditions import NOTHING_ADDED, AddedConditions
from fresco_engine.diffusion.batch_run import BatchNoise, BatchRun, Conditions
from fresco_engine.diffusion.control import ControlInput
from fresco_engine.diffusion.finite import FiniteWatch
from fresco_engine.diffusion.guidance import maps_ahead
from fresco_engine.diffusion.hooks import guided_sizes
from fresco_engine.diffusion.latents import (
    decode_latents,
    encode_images,
    vae_dtype,
)
from fresco_engine.diffusion.picture_prompt.prompt import MOST_TOKENS, PicturePrompt
from fresco_engine.diffusion.quiet import quiet_libraries
from fresco_engine.diffusion.sampler import denoised
from fresco_engine.diffusion.samplers import executed_steps, make_sampler
from fresco_engine.diffusion.smoothing import CarriedBackground
from fresco_engine.progress_tracker import drained

if TYPE_CHECKING:
    from fresco_engine.diffusion.model import Model
    from fresco_engine.settings import RestyleSettings

_META = torch.device("meta")
_STEPS = 2
"""The first step, which everything acts on, and one whose latents are held beside it."""
_READING_NUMBERS = 632_076_800
"""Those of CLIP ViT-H/14, which reads a reference picture and is gone before the first batch."""
Value = TypeVar("Value")


@dataclass(frozen=True, kw_only=True)
class BatchCost:
    """What one batch of keyframes takes."""

    weights_bytes: int
    """The networks' weights."""
    working_bytes: int
    """The most that lies on the device beside them at any moment."""
    operations: float
    """Floating point operations of all its denoising steps and of decoding."""

    @property
    def peak_bytes(self) -> int:
        """What the device must have room for, without what its driver takes for itself."""
        return self.weights_bytes + self.working_bytes


def batch_cost(
    model: Model, settings: RestyleSettings, *, frames: int, height: int, width: int
) -> BatchCost:
    """The cost of a batch of `frames` pictures of a padded size in pixels.

    `settings` must be resolved. The correspondence is that of a still picture, of which nothing
    is hidden: hidden places add keys to cross-frame attention, but hardly any memory. Kernels'
    own scratch memory is not counted.
    """
    brief, longer = (_brief(settings, iterations) for iterations in (1, 2))
    with torch.no_grad():
        run = _pretended_run(_pretended(model), brief, frames, height, width)
        working, a_step, decoding = _gone_through(run, FlopCounterMode(display=False))
        # Every round of the optimisation is like the other.
        longer_run = replace(run, settings=longer)
        _, with_another, _ = _gone_through(longer_run, FlopCounterMode(display=False))
    rounds = settings.optimisation.iterations - 1
    a_step += rounds * (with_another - a_step)
    return BatchCost(
        weights_bytes=sum(_bytes_of_network(one) for one in _networks(model)),
        working_bytes=max(working, _reading_bytes(model, settings)),
        operations=a_step * executed_steps(settings) + decoding,
    )


@torch.no_grad()
def working_bytes(
    model: Model, settings: RestyleSettings, *, frames: int, height: int, width: int
) -> int:
    """Only the memory of `batch_cost`, in a third of its time."""
    run = _pretended_run(_pretended(model), _brief(settings, 1), frames, height, width)
    return max(_gone_through(run)[0], _reading_bytes(model, settings))


def _pretended(model: Model) -> Model:
    halved = model.dtype in (torch.float16, torch.bfloat16)
    # An autoencoder in float16 would have to be asked whether it overflowed.
    pretended = on_meta(model, torch.bfloat16 if halved else model.dtype)
    if vae_dtype(model.vae, model.dtype, is_xl=model.is_xl) == torch.float32:
        return replace(pretended, vae=_without_numbers(model.vae, torch.float32))
    return pretended


def _reading_bytes(model: Model, settings: RestyleSettings) -> int:
    return _READING_NUMBERS * model.dtype.itemsize if _is_shown_a_picture(settings) else 0


def _is_shown_a_picture(settings: RestyleSettings) -> bool:
    return settings.reference is not None and settings.reference_scale > 0


def _brief(settings: RestyleSettings, iterations: int) -> RestyleSettings:
    optimisation = replace(settings.optimisation, iterations=iterations)
    return replace(settings, steps=_STEPS, strength=1.0, optimisation=optimisation)


def _gone_through(
    run: BatchRun, counter: FlopCounterMode | None = None
) -> tuple[int, float, float]:
    """Most bytes at any moment of encoding, denoising or decoding.

    With a counter also operations of a step, and of decoding; else nothing.
    """
    pictures = torch.empty(1, 3, *run.correspondence.size, device=_META)
    encoding, working, attention = PeakMemory(), PeakMemory(), LeanAttention()
    with attention, encoding:
        encode_images(run.model, pictures, run.finite)

    def operations() -> float:
        return counter.get_total_flops() + attention.operations if counter else 0.0

    with attention, counter or nullcontext(), working:
        before = operations()
        record = drained(denoised(run))
        denoising = operations() - before
        decode_latents(run.model, record[-1], run.finite)
        decoding = operations() - before - denoising
    return _bytes_of(run) + max(working.peak, encoding.peak), denoising / _STEPS, decoding


def on_meta(model: Model, dtype: torch.dtype) -> Model:
    """The same model without its numbers; its text encoder and detectors stay as they are."""
    controls = tuple(
        replace(one, network=_without_numbers(one.network, dtype)) for one in model.controls
    )
    return replace(
        model,
        unet=_without_numbers(model.unet, dtype),
        vae=_without_numbers(model.vae, vae_dtype(model.vae, dtype, is_xl=model.is_xl)),
        controls=controls,
        device=_META,
        dtype=dtype,
    )


def _without_numbers(network: Any, dtype: torch.dtype) -> Any:
    with _META, quiet_libraries():
        return type(network).from_config(network.config).to(dtype).eval().requires_grad_(False)


def _networks(model: Model) -> tuple[Any, ...]:
    bound = (control.network for control in model.controls)
    return (model.unet, model.vae, *(reader.encoder for reader in model.readers), *bound)


def _bytes_of_network(network: Any) -> int:
    tensors = (*network.parameters(), *network.buffers())
    return sum(one.numel() * one.element_size() for one in tensors)


def _pretended_run(
    model: Model, settings: RestyleSettings, frames: int, height: int, width: int
) -> BatchRun:
    """A batch made ready for `denoised`, of pictures that nobody has seen."""
    channels = int(cast(Any, model.vae).config.latent_channels)
    size = (height // model.downscale, width // model.downscale)
    correspondence = _still(frames, height, width)
    halves = 2 if (settings.guidance_scale or 0) > 1 else 1
    clean = torch.empty(frames, channels, *size, device=_META)
    sizes = guided_sizes(model.unet, size, settings.attention, settings.optimisation)
    smoothing = settings.smoothing
    background = (
        CarriedBackground.of(correspondence, smoothing.dilation)
        if smoothing.is_on
        else CarriedBackground(())
    )
    words = torch.empty(
        halves * frames,
        model.max_prompt_tokens,
        int(cast(Any, model.unet).config.cross_attention_dim),
        device=_META,
        dtype=model.dtype,
    )
    inputs = torch.empty(frames, 3, height, width, device=_META, dtype=model.dtype)
    picture = None
    if _is_shown_a_picture(settings):
        picture = PicturePrompt.unseen(model.unet, MOST_TOKENS).for_batch(halves, frames)
    return BatchRun(
        model=model,
        settings=settings,
        correspondence=moved(correspondence, _META),
        sampler=make_sampler(model, settings),
        conditions=Conditions(
            embeddings=(words,) * _STEPS,
            controls=tuple(
                ControlInput.of(one.network, inputs, 1.0, halves) for one in model.controls
            ),
            guidance_scale=settings.guidance_scale or 1.0,
            guidance_rescale=settings.guidance_rescale or 0.0,
            added=_added(model, halves * frames),
            picture=picture,
        ),
        noise=BatchNoise(_Nothing(clean), _Nothing(clean)),
        clean=clean,
        reference_input=clean.to(model.dtype),
        reference_timestep=1,
        anchors=None,
        maps=moved(maps_ahead(correspondence, sizes, smoothing), _META),
        background=moved(background, _META),
        finite=FiniteWatch(model),
    )


def _added(model: Model, rows: int) -> AddedConditions:
    if not model.is_xl:
        return NOTHING_ADDED
    text: Any = model.readers[-1].encoder.config
    width = int(text.projection_dim)
    pooled = torch.empty(rows, width, device=_META, dtype=model.dtype)
    return AddedConditions((pooled,) * _STEPS, torch.empty(rows, 6, device=_META))


class _Nothing:
    """Noise of a shape."""

    def __init__(self, like: Tensor) -> None:
        self._like = like

    def draw(self) -> Tensor:
        return torch.empty_like(self._like)


def _still(frames: int, height: int, width: int) -> BatchCorrespondence:
    flow = torch.zeros(frames, 2, height, width)
    nothing = torch.zeros(frames, height, width, dtype=torch.bool)
    colours = torch.zeros(frames, 3, height, width)
    return BatchCorrespondence(flow, flow, nothing, nothing, nothing, colours, nothing, nothing)


def moved(value: Value, device: torch.device) -> Value:
    """`value` with all tensors in it, however deep, on `device`; what is there twice stays one."""
    return _changed(value, lambda tensor: tensor.to(device), {})


def _bytes_of(run: BatchRun) -> int:
    """What lies on the device before the first step."""
    parts = (
        run.correspondence,
        run.conditions.embeddings,
        run.conditions.added,
        tuple((one.pictures, one.features) for one in run.conditions.controls),
        run.conditions.picture,
        run.clean,
        run.reference_input,
        run.maps,
        run.background,
    )
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[_identity(storage)] = storage.nbytes()
        return tensor

    _changed(parts, note, {})
    return sum(storages.values())


def _changed(value: Any, change: Callable[[Tensor], Tensor], seen: dict[int, Any]) -> Any:
    if id(value) in seen:
        return seen[id(value)]
    result = value
    if isinstance(value, Tensor):
        result = change(value)
    elif isinstance(value, tuple):
        result = tuple(_changed(one, change, seen) for one in cast("tuple[Any, ...]", value))
    elif isinstance(value, dict):
        held = cast("dict[Any, Any]", value)
        result = {key: _changed(one, change, seen) for key, one in held.items()}
    elif is_dataclass(value) and not isinstance(value, type):
        result = copy(value)
        for field in fields(value):
            # Also what is frozen: a copy belongs to nobody yet.
            part = _changed(getattr(value, field.name), change, seen)
            object.__setattr__(result, field.name, part)
    seen[id(value)] = result
    return result


class PeakMemory(TorchDispatchMode):
    """Inside, counts the bytes of all tensors that are made and not yet given back."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = 0
        self._now = 0
        self._known: weakref.WeakSet[Any] = weakref.WeakSet()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = (one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor))
        given = {_identity(one.untyped_storage()) for one in tensors}
        result = func(*args, **(kwargs or {}))
        for one in tree_leaves(result):
            if isinstance(one, Tensor) and _identity(one.untyped_storage()) not in given:
                self._count(one.untyped_storage())
        return result

    def _count(self, storage: Any) -> None:
        if storage in self._known:
            return
        self._known.add(storage)
        size = storage.nbytes()
        self._now += size
        self.peak = max(self.peak, self._now)
        weakref.finalize(storage, self._give_back, size)

    def _give_back(self, size: int) -> None:
        self._now -= size


class LeanAttention(TorchFunctionMode):
    """Inside, attention takes no memory but for its result, as with the kernels of GPUs.

    Without numbers torch would write it out as products of matrices. Counts its arithmetic.
    """

    operations = 0.0

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not F.scaled_dot_product_attention:
            return func(*args, **(kwargs or {}))
        query, key, value = args
        *batch, tokens, size = query.shape
        pairs = math.prod(batch) * tokens * key.shape[-2]
        self.operations += 2.0 * pairs * (size + value.shape[-1])
        return query.new_empty(*batch, tokens, value.shape[-1])


def _identity(storage: Any) -> int:
    return storage._cdata
