"""What is valid and does not do what it seems to: told before anything is made, and with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from fresco_settings import marked, parameters_of

from fresco_engine.diffusion.prompting.wording import lora_tags, wording_doubts
from fresco_engine.settings import RestyleSettings, Style

_OF_EDITS = tuple(one.name for one in parameters_of(RestyleSettings) if one.of_mode == "edit")
_SIGNS = re.compile(r"[^\w]+")


def settings_doubts(settings: RestyleSettings) -> Iterator[str]:
    """Settings that are valid but do not do what they seem to; `settings` must be resolved."""
    if settings.negative_prompt and (settings.guidance_scale or 0) <= 1:
        yield (
            f"the negative prompt has no effect at a guidance of {settings.guidance_scale}; "
            f"raise {marked('guidance_scale')} above 1 to use it"
        )
    yield from edit_doubts(settings)
    if settings.compile and settings.weights != "full":
        yield f"{marked('compile')} has no effect where {marked('weights')} are kept in 8 bits"
    if any(True for text in settings.keyframe_prompts.values() for _ in lora_tags(text)):
        yield (
            f"a LoRA named in {marked('keyframe_prompts')} changes all of the clip, not only its "
            f"keyframe; name it in {marked('prompt')}, where this is meant"
        )
    if settings.subject is not None and settings.subject_mask is not None:
        yield f"{marked('subject')} has no effect beside {marked('subject_mask')}, which is used"
    elif settings.subject is not None and not settings.needs_subject:
        yield (
            f"{marked('subject')} has no effect while the background is not smoothed; "
            f"turn on {marked('smoothing.is_on')} to use it"
        )
    if settings.reference is not None and settings.reference_scale == 0:
        yield f"{marked('reference')} has no effect at a {marked('reference_scale')} of 0"
    elif settings.reference is None and settings.reference_model is not None:
        yield f"{marked('reference_model')} has no effect without a {marked('reference')}"
    yield from wording_doubts(settings.texts)


def edit_doubts(settings: RestyleSettings) -> Iterator[str]:
    """What was chosen for an edit and has no effect."""
    usual = RestyleSettings(prompt="any")
    for name in () if settings.is_edit else _OF_EDITS:
        if getattr(settings, name) != getattr(usual, name):
            yield f"{marked(name)} has no effect unless {marked('mode')} is edit"
    if settings.is_edit and settings.region == "words" and _has_same_words(settings):
        yield (
            f"nothing will be changed: {marked('source_prompt')} and {marked('prompt')} have the "
            f"same words, and {marked('region')} words changes what others speak of"
        )
    if settings.is_edit and settings.inversion == "ddim" and (settings.steps or 20) < 20:
        yield (
            f"the inversion ddim comes back to a blurred clip in {settings.steps} steps; raise "
            f"{marked('steps')} to 20 or more, or choose the inversion ddpm"
        )
    if settings.is_edit and settings.inversion == "ddim" and settings.keep != usual.keep:
        yield (
            f"{marked('keep')} has no effect with the inversion ddim; choose the inversion ddpm to "
            "use it"
        )


def called_styles(prompt: str, styles: Sequence[Style]) -> tuple[str, ...]:
    """The names of the styles that words of a prompt call for, in the order of the model.

    A style is called by its name, or by one of the phrases it was taught with.
    """
    said = _flat(prompt)
    return tuple(
        style.name
        for style in styles
        if any(_flat(phrase) in said for phrase in (style.name, *style.words.split(",")))
    )


def look_doubts(settings: RestyleSettings, styles: Sequence[Style]) -> Iterator[str]:
    """What a model that knows nothing but its `styles` cannot do with the words it is given."""
    if settings.style is None and not called_styles(settings.prompt, styles):
        known = ", ".join(style.name for style in styles)
        yield (
            "this model knows looks, not things, and none of these words calls for a look that it "
            f"knows; choose one of {known}, or a Stable Diffusion model, which knows things"
        )


def _has_same_words(settings: RestyleSettings) -> bool:
    is_alone = settings.style is None and not settings.keyframe_prompts
    return is_alone and set(_flat(settings.source_prompt).split()) == set(
        _flat(settings.prompt).split()
    )


def _flat(text: str) -> str:
    """Words between single blanks, so that whole words are found in it."""
    return f" {_SIGNS.sub(' ', text.casefold()).strip()} "
