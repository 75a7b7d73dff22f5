"""Models and LoRAs distilled for few steps: told from their names, with what they need.

Nothing in their tensors tells them apart. Sampled as other models are they burn: contrasts and
colours far beyond what the prompt asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fresco_settings import (
    ETA_SAMPLERS,
    FEW_STEP_SAMPLERS,
    KARRAS_SAMPLERS,
    SamplerKind,
    Spacing,
    marked,
)

from fresco_engine.diffusion.weights import read_metadata

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fresco_engine.diffusion.lora import Lora
    from fresco_engine.settings import ModelDefaults, RestyleSettings

_TITLES = ("modelspec.title", "ss_output_name")
"""What trainers note of a file's own name, which a renamed file keeps."""
_GENERIC = re.compile(
    r"pytorch_lora_weights|adapter_model|diffusion_pytorch_model|lora|model|[0-9a-f]{40}", re.I
)
_PARENTS = 3
"""Folders above a file of a generic name: the hub keeps its name two above a snapshot's."""
_STEPS = re.compile(r"(?<![0-9])([0-9]{1,2})[-_ ]?steps?(?![a-z])", re.I)
_LEAST_WEIGHT = 0.4
"""A distilled LoRA applied more weakly adds some detail and leaves the model what it was."""
_CFG = re.compile(r"(?<![a-z])cfg(?![a-z])", re.I)


@dataclass(frozen=True, kw_only=True)
class FewStep:
    """What a distilled model or LoRA needs; `name` is what it is called, `kind` by what method.

    `guidance_scale` suits it, up to `most_guidance` is bearable, and so are `most_steps`.
    """

    name: str
    kind: str
    sampler: SamplerKind
    steps: int
    most_steps: int
    guidance_scale: float = 1.0
    most_guidance: float = 2.0
    spacing: Spacing | None = None
    eta: float | None = None

    def applied(self, defaults: ModelDefaults) -> ModelDefaults:
        """`defaults` with what it needs in their place."""
        return replace(
            defaults,
            sampler=self.sampler,
            steps=self.steps,
            draft_steps=self.steps,
            best_steps=self.most_steps,
            guidance_scale=self.guidance_scale,
            spacing=self.spacing,
            eta=self.eta,
        )


def few_step_of(path: Path) -> FewStep | None:
    """What the weights `path`, a file or a folder, need if they are distilled for few steps.

    Told from the name, and of a .safetensors file from the name its maker noted in it; raises as
    `read_metadata`.
    """
    names = [path.stem if path.is_file() else path.name]
    if _GENERIC.fullmatch(names[0]):
        names += [parent.name for parent in path.parents[:_PARENTS]]
    if path.is_file():
        metadata = read_metadata(path)
        names += [metadata[key] for key in _TITLES if key in metadata]
    found = (few_step_named(name, path.name) for name in names)
    return next((one for one in found if one is not None), None)


def few_step_named(text: str, name: str) -> FewStep | None:
    """What weights called `text` need, called `name` where they are spoken of."""
    for pattern, made in _KINDS:
        if pattern.search(text):
            return made(name, text)
    return None


def few_step_among(base: FewStep | None, loras: Sequence[Lora]) -> FewStep | None:
    """The recipe of the strongest distilled LoRA that is applied in earnest, else of the model."""
    strong = sorted(loras, key=lambda lora: -abs(lora.weight))
    found = (few_step_of(lora.path) for lora in strong if abs(lora.weight) >= _LEAST_WEIGHT)
    return next((one for one in found if one is not None), base)


def sampling_doubts(settings: RestyleSettings, few: FewStep | None) -> Iterator[str]:
    """Settings of sampling that are valid and would burn, blur, or do nothing.

    `settings` must be resolved.
    """
    if few is not None:
        yield from _few_step_doubts(settings, few)
    elif settings.sampler in FEW_STEP_SAMPLERS:
        yield (
            f"the sampler {settings.sampler} is for models distilled for few steps, and nothing "
            "says that this one is, so pictures may be blurred or burnt; choose another for "
            f"{marked('sampler')}, or add the LoRA that belongs to it"
        )
    yield from idle_doubts(settings)


def idle_doubts(settings: RestyleSettings) -> Iterator[str]:
    """What was chosen and has no effect with the chosen sampler; it needs no model."""
    if settings.spacing is not None and settings.sampler in FEW_STEP_SAMPLERS:
        yield (
            f"the step spacing has no effect with the sampler {settings.sampler}, which has its "
            f"own; leave {marked('spacing')} open"
        )
    elif settings.spacing == "karras" and settings.sampler not in KARRAS_SAMPLERS:
        yield (
            f"the step spacing karras has no effect with the sampler {settings.sampler}; choose "
            f"{' or '.join(KARRAS_SAMPLERS)} for {marked('sampler')}"
        )
    if settings.eta and settings.sampler not in ETA_SAMPLERS:
        yield (
            f"eta has no effect with the sampler {settings.sampler}; choose "
            f"{' or '.join(ETA_SAMPLERS)} for {marked('sampler')}"
        )


def _few_step_doubts(settings: RestyleSettings, few: FewStep) -> Iterator[str]:
    made_for = f"{few.name} is made for few steps ({few.kind})"
    guidance, steps = settings.guidance_scale or 0, settings.steps or 0
    if guidance > few.most_guidance:
        yield (
            f"{made_for}, and at a guidance of {guidance:g} pictures burn; leave "
            f"{marked('guidance_scale')} open, or set it to {few.most_guidance:g} or less"
        )
    if steps > few.most_steps:
        yield (
            f"{made_for}, and with {steps} of them pictures may burn; leave {marked('steps')} "
            f"open, or set it to {few.steps}"
        )
    if settings.sampler != few.sampler:
        yield (
            f"{made_for}, and with the sampler {settings.sampler} pictures may stay noisy; leave "
            f"{marked('sampler')} open, or set it to {few.sampler}"
        )


def _lcm(name: str, text: str) -> FewStep:
    steps = _told_steps(text, 4)
    return FewStep(name=name, kind="LCM", sampler="lcm", steps=steps, most_steps=max(8, steps))


def _tcd(name: str, text: str) -> FewStep:
    steps = _told_steps(text, 4)
    return FewStep(
        name=name, kind="TCD", sampler="tcd", steps=steps, most_steps=max(8, steps), eta=0.3
    )


def _hyper(name: str, text: str) -> FewStep:
    """As its makers say: TCD with all noise for one step, else DDIM over exactly its steps."""
    steps = _told_steps(text, 8)
    if steps == 1:
        return FewStep(name=name, kind="Hyper-SD", sampler="tcd", steps=1, most_steps=8, eta=1.0)
    keeps_guidance = _CFG.search(text) is not None
    return FewStep(
        name=name,
        kind="Hyper-SD",
        sampler="ddim",
        steps=steps,
        most_steps=steps,
        guidance_scale=5.0 if keeps_guidance else 1.0,
        most_guidance=8.0 if keeps_guidance else 2.0,
        spacing="trailing",
    )


def _turbo(name: str, text: str) -> FewStep:
    steps = _told_steps(text, 4)
    return FewStep(
        name=name,
        kind="Turbo",
        sampler="euler-a",
        steps=steps,
        most_steps=max(8, steps),
        spacing="trailing",
    )


def _lightning(name: str, text: str) -> FewStep:
    """Made for Euler's method without noise, which is DDIM in other words."""
    steps = _told_steps(text, 4)
    return FewStep(
        name=name,
        kind="Lightning",
        sampler="ddim",
        steps=steps,
        most_steps=max(8, steps),
        spacing="trailing",
    )


def _told_steps(text: str, otherwise: int) -> int:
    found = _STEPS.search(text)
    return max(1, int(found[1])) if found else otherwise


_SD = r"sd(?:[-_ ]?(?:xl|v?[0-9.]+))?"
# Words of looks, such as lightning, turbo or hyper, count only beside what a model is called.
_KINDS = tuple(
    (re.compile(pattern, re.I), made)
    for pattern, made in (
        (rf"(?<![a-z])hyper[-_ ]?{_SD}(?![a-z])", _hyper),
        (r"(?<![a-z])tcd(?![a-z])", _tcd),
        (r"(?<![a-z])lcm(?![a-z])|latent[-_ ]consistency", _lcm),
        (rf"{_SD}[-_ ]?lightning|lightning[-_ ](?:[0-9]+[-_ ]?steps?|lora)", _lightning),
        (rf"{_SD}[-_ ]?turbo|turbo[-_ ](?:[0-9]+[-_ ]?steps?|lora)", _turbo),
    )
)
