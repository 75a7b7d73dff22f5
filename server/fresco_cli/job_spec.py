"""What `fresco restyle` is asked for, and all that can be found wrong with it without a model."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fresco_engine.settings import RestyleSettings
from fresco_media.files.output_folders import prepare_folders
from fresco_media.writing.delivery import Codec
from fresco_media.writing.originals import NO_ORIGINALS, Originals
from fresco_server.local.engine import InProcessEngine

from fresco_cli import destinations
from fresco_cli.choices import LookChoices
from fresco_cli.inputs import clip_inputs, mask_inputs, named_inputs
from fresco_cli.options import DestinationOptions, ModelOptions
from fresco_cli.output import Output
from fresco_cli.parsing import parse_frame_rate
from fresco_cli.remedies import in_flags

if TYPE_CHECKING:
    from fresco_media.clip import Clip
    from fresco_media.mask import MaskClip


@dataclass(frozen=True, kw_only=True)
class JobSpec:
    """A clip, what is to become of it, and where the results go."""

    clip: Path
    choices: LookChoices
    wanted: DestinationOptions
    model: ModelOptions
    frame_rate: str | None = None
    codec: Codec | None = None


@dataclass(frozen=True)
class CheckedJobSpec:
    """An order that can be carried out as far as can be known: its clip and its mask are open."""

    order: JobSpec
    clip: Clip
    mask: MaskClip | None
    settings: RestyleSettings
    codec: Codec
    originals: Originals


def checked(order: JobSpec, engine: InProcessEngine) -> CheckedJobSpec:
    """The order, if nothing is wrong with it.

    Raises:
        InvalidSettings, ClipError, MaskUnusable, OutputError: what is wrong and what to do.
    """
    settings = order.choices.settings()
    clip = engine.open_clip(order.clip, parse_frame_rate(order.frame_rate))
    mask = engine.open_mask(clip, settings)
    engine.check_reference(settings)
    wanted = order.wanted
    originals = (
        clip_inputs(clip.info)
        | (mask_inputs(mask.info) if mask else NO_ORIGINALS)
        | named_inputs(order.model, settings)
    )
    destinations.check_extras(wanted, originals)
    codec = engine.check_output(
        wanted.output,
        clip,
        settings,
        codec=order.codec,
        overwrite=wanted.overwrite,
        originals=originals,
    )
    if mask is not None:
        engine.check_mask(mask, clip, settings)
    prepare_folders(wanted.save_keyframes)
    return CheckedJobSpec(order, clip, mask, settings, codec, originals)


class Warnings:
    """Says every warning once, also that of words for frames that are no keyframes."""

    def __init__(self, channel: Output) -> None:
        self._channel = channel
        self._told: set[str] = set()

    def say(self, *messages: str) -> None:
        """Say these unless they were said before."""
        for message in map(in_flags, messages):
            if message not in self._told:
                self._told.add(message)
                self._channel.warned(message)

    def say_unused(self, prompts: Collection[int], keyframes: Collection[int]) -> None:
        """Say which words for frames have no effect."""
        unused = sorted(set(prompts) - set(keyframes))
        if unused:
            self.say(_unused(unused))


def _unused(indices: Sequence[int]) -> str:
    frames = ", ".join(map(str, indices))
    return (
        f"the words for frame {frames} are not used, as only keyframes have words of their "
        "own; 'fresco keyframes' lists them"
    )
