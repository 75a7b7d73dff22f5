"""What the user chose about a restyle: options made of the declared settings, and back."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, TypeVar

import typer
from fresco_settings import (
    Declared,
    PartialSettings,
    RestyleSettings,
    chosen_settings,
    nested,
    parameters_of,
)

from fresco_cli.parsing import (
    chosen,
    number,
    parse_flow,
    parse_frame_prompts,
    parse_keyframes,
    parse_pictures,
    parse_range,
    parse_reference,
    parse_reference_model,
    parse_subject_mask,
    source,
)

ChoicesT = TypeVar("ChoicesT", bound="ChosenOptions")
_SHORT = {"--prompt": "-p"}
_SEE_ALSO = {"--style": "see 'fresco models list'"}
_TYPES: dict[str, Any] = {"integer": int, "number": float, "switch": bool}
_WORDS = {"prompt", "negative_prompt"}
_METAVARS = {"integer": "N", "number": "F"}


@dataclass(frozen=True, kw_only=True)
class SettingOption:
    """An option of the command line: how it is given, and the settings it stands for.

    `read` makes values by path of what was given.
    """

    name: str
    type: Any
    meaning: str
    group: str
    read: Callable[[Any], dict[str, Any]]
    default: str = ""
    details: str = ""
    """What the help has no room for."""
    values: str = ""
    """Range or choices, in words."""
    metavar: str | None = None
    is_on_at_first: bool = False
    parser: Callable[[str], Any] | None = None
    """What makes a value of what was typed, where the type alone does not."""

    @property
    def help(self) -> str:
        """One sentence."""
        default = self.default and f"default: {self.default}"
        beside = "; ".join(filter(None, (_SEE_ALSO.get(self.name), self.values, default)))
        return f"{self.meaning}{f' ({beside})' if beside else ''}."

    @property
    def usage(self) -> tuple[str, ...]:
        """How it is written, one way or two: "--seed N", or "--smoothing", "--no-smoothing"."""
        if self.is_on_at_first:
            return self.name, f"--no-{self.name[2:]}"
        return (f"{self.name} {self.metavar}" if self.metavar else self.name,)

    @property
    def field(self) -> str:
        """What the command's parameter is called."""
        name = self.name.lstrip("-").replace("-", "_")
        return f"{name}_" if keyword.iskeyword(name) else name

    @property
    def annotation(self) -> Any:
        """As typer is to see it; what is not given is None."""
        names = [self.name, *filter(None, (_SHORT.get(self.name),))]
        if self.is_on_at_first:
            names = [f"{self.name}/--no-{self.name[2:]}"]
        return Annotated[
            self.type | None,
            typer.Option(
                *names,
                parser=number if self.type is float else self.parser,
                metavar=self.metavar,
                help=self.help,
                rich_help_panel=self.group,
                show_default=False,
            ),
        ]


class ChosenOptions(PartialSettings):
    """Base of what was chosen, with a field for every option; what was not given is None."""

    options: ClassVar[tuple[SettingOption, ...]] = ()

    def values(self) -> dict[str, Any]:
        """What was chosen, by the paths of the settings.

        Raises:
            InvalidSettings: a value is of another form.
        """
        values: dict[str, Any] = {}
        for option in self.options:
            given = getattr(self, option.field)
            # Words may be empty on purpose; where they have to be some, the settings say so.
            if given not in (None, "", []):
                values |= option.read(given)
        return values

    def settings(self) -> RestyleSettings:
        """The settings: the preset's, with what was chosen put in its place.

        Raises:
            InvalidSettings: a value is out of range or of another form.
        """
        return chosen_settings(nested(self.values()))


def options_of(declared: type) -> dict[str, tuple[SettingOption, Declared]]:
    """The options of a declaration, by name, each with a setting that it stands for."""
    found: dict[str, tuple[SettingOption, Declared]] = {}
    for parameter in parameters_of(declared):
        name = parameter.option
        if name and name not in found:
            make = _TOGETHER.get(name, _single)
            found[name] = (make(parameter), parameter)
    return found


def with_options(
    declared: type, is_wanted: Callable[[Declared], bool]
) -> Callable[[type[ChoicesT]], type[ChoicesT]]:
    """Gives a class the options of those settings that are wanted."""

    def fill(kind: type[ChoicesT]) -> type[ChoicesT]:
        own = [
            option for option, parameter in options_of(declared).values() if is_wanted(parameter)
        ]
        kind.options = (*kind.options, *own)
        kind.__annotations__ = {option.field: option.annotation for option in own}
        for option in own:
            setattr(kind, option.field, None)
        return dataclass(frozen=True, kw_only=True)(kind)

    return fill


def _single(parameter: Declared) -> SettingOption:
    return SettingOption(
        name=parameter.option,
        type=_TYPES.get(parameter.kind, str),
        meaning=parameter.description,
        group=parameter.group,
        read=lambda given: {parameter.name: given},
        default=parameter.default_text,
        details=parameter.long_text,
        values=parameter.range_text,
        metavar=parameter.setting.metavar or _METAVARS.get(parameter.kind, _else_text(parameter)),
        is_on_at_first=parameter.default is True,
        parser=chosen if _is_name(parameter) else None,
    )


def _is_name(parameter: Declared) -> bool:
    """Whether a text stands for a choice, and so cannot be empty as words can."""
    return parameter.kind in ("text", "choice") and parameter.name not in _WORDS


def _else_text(parameter: Declared) -> str | None:
    return None if parameter.kind == "switch" else "TEXT"


def _range(first: Declared) -> SettingOption:
    def read(given: str) -> dict[str, Any]:
        start, stop = parse_range(given)
        return {"start": start} if stop is None else {"start": start, "stop": stop}

    return SettingOption(
        name=first.option,
        type=str,
        meaning="Frames A to B-1 only, counted from 0; A: and :B leave one end open",
        group=first.group,
        read=read,
        default="the whole clip",
        metavar="A:B",
        parser=chosen,
    )


def _keyframes(first: Declared) -> SettingOption:
    usual = RestyleSettings(prompt="any")
    return SettingOption(
        name=first.option,
        type=str,
        meaning="Frames from one keyframe to the next, or the keyframes themselves: 0,24,48",
        group=first.group,
        read=parse_keyframes,
        default=f"{usual.keyframe_min}:{usual.keyframe_max}",
        metavar="MIN:MAX",
        parser=chosen,
    )


def _frame_prompt(first: Declared) -> SettingOption:
    return SettingOption(
        name=first.option,
        type=list[str],
        meaning="Words added to the prompt of keyframe N; may be repeated",
        group=first.group,
        read=lambda given: {first.name: parse_frame_prompts(given)},
        default=first.default_text,
        metavar="N=TEXT",
    )


def _painted(first: Declared) -> SettingOption:
    return SettingOption(
        name=first.option,
        type=list[str],
        meaning="A painted picture that is taken as keyframe N; may be repeated",
        group=first.group,
        read=lambda given: {first.name: parse_pictures("painted", given)},
        default=first.default_text,
        metavar="N=FILE",
    )


def _flow(first: Declared) -> SettingOption:
    return replace(_single(first), read=parse_flow)


def _subject_mask(first: Declared) -> SettingOption:
    return replace(_single(first), read=parse_subject_mask, parser=source)


def _reference(first: Declared) -> SettingOption:
    return replace(_single(first), read=parse_reference, parser=source)


def _reference_model(first: Declared) -> SettingOption:
    return replace(_single(first), read=parse_reference_model, parser=source)


def _optimisation(first: Declared) -> SettingOption:
    return SettingOption(
        name=first.option,
        type=bool,
        meaning="Optimise features for motion and layout",
        group=first.group,
        read=lambda given: dict.fromkeys(("optimisation.temporal", "optimisation.spatial"), given),
        default=first.default_text,
        is_on_at_first=True,
    )


_TOGETHER: dict[str, Callable[[Declared], SettingOption]] = {
    "--range": _range,
    "--keyframes": _keyframes,
    "--frame-prompt": _frame_prompt,
    "--painted": _painted,
    "--flow": _flow,
    "--subject-mask": _subject_mask,
    "--reference": _reference,
    "--reference-model": _reference_model,
    "--optimisation": _optimisation,
}
"""Options that are more than one number or name: several settings at once, by frame, or files."""


@with_options(RestyleSettings, lambda one: not one.setting.needs_clip)
class LookChoices(ChosenOptions):
    """What can be chosen for one frame."""


@with_options(RestyleSettings, lambda one: one.setting.needs_clip)
class Choices(LookChoices):
    """What can be chosen for a clip."""


@with_options(RestyleSettings, lambda one: one.option not in {"--mode", "--prompt"})
class EditChoices(ChosenOptions):
    """What can be chosen for an edit, beside the words that it leads to."""

    def towards(self, prompt: str | None) -> Choices:
        """All that was chosen, with these words."""
        given = {option.field: getattr(self, option.field) for option in self.options}
        return Choices(**given, prompt=prompt, mode="edit")


@with_options(RestyleSettings, lambda one: one.option in {"--range", "--keyframes", "--size"})
class PlanChoices(ChosenOptions):
    """What decides which frames are keyframes."""

    def settings(self) -> RestyleSettings:
        """Settings that need no words; raises as those with words do."""
        return chosen_settings(nested({"prompt": "none", **self.values()}))


@with_options(RestyleSettings, lambda one: one.option == "--range")
class RangeChoice(ChosenOptions):
    """Which part of the clip."""
