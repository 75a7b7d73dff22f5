"""Everything a user can choose, frozen, checked when made, saved with every result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any, Literal

from fresco_engine.errors import InvalidSettings

ControlKind = Literal["tile", "canny", "hed", "depth", "none"]
CONTROL_KINDS: tuple[ControlKind, ...] = ("tile", "canny", "hed", "depth", "none")
PRESETS = ("draft", "standard", "best")
InterpolationKind = Literal["patch", "flow"]
INTERPOLATION_KINDS: tuple[InterpolationKind, ...] = ("patch", "flow")
_LARGEST_SEED = 2**63 - 1
_MOST_GAP = 1000


def _check_range(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InvalidSettings(name, f"{value} is outside {low} to {high}")


def check_gaps(keyframes: Sequence[int]) -> None:
    """Insist on keyframes chosen by hand that lie near enough to each other.

    Raises:
        InvalidSettings: two neighbours are more than 1000 frames apart.
    """
    for left, right in pairwise(keyframes):
        if right - left > _MOST_GAP:
            raise InvalidSettings(
                "keyframes",
                f"from {left} to {right} are more than {_MOST_GAP} frames; choose one between them",
            )


@dataclass(frozen=True, kw_only=True)
class AttentionSettings:
    """FRESCO-guided attention (Eq. 7-9); each part can be off.

    `spatial_until` is the share of the run's denoising steps that use spatial guidance, at least
    one step; the published code uses the first step only. `temporal_until` is the noise level, as
    a share of the training schedule, down to which temporal guidance is used.
    """

    spatial: bool = True
    spatial_scale: float = 5.0
    spatial_until: float = 0.05
    cross_frame: bool = True
    temporal: bool = True
    temporal_scale: float = 5.0
    temporal_until: float = 0.35

    def __post_init__(self) -> None:
        _check_range("attention.spatial_scale", self.spatial_scale, 0.1, 100)
        _check_range("attention.temporal_scale", self.temporal_scale, 0.1, 100)
        _check_range("attention.spatial_until", self.spatial_until, 0, 1)
        _check_range("attention.temporal_until", self.temporal_until, 0, 1)


@dataclass(frozen=True, kw_only=True)
class OptimisationSettings:
    """FRESCO-aware feature optimisation (Eq. 4-6); either loss can be off.

    `until` is the share of the whole schedule, counting the steps SDEdit skips, that is optimised
    (15 of 20 in the paper's setting). `blocks` are the decoder blocks it is applied to.
    """

    temporal: bool = True
    spatial: bool = True
    iterations: int = 20
    learning_rate: float = 0.4
    spatial_weight: float = 50.0
    until: float = 0.75
    blocks: tuple[int, ...] = (0, 1, 2, 3)

    def __post_init__(self) -> None:
        _check_range("optimisation.iterations", self.iterations, 0, 200)
        _check_range("optimisation.learning_rate", self.learning_rate, 0, 10)
        _check_range("optimisation.spatial_weight", self.spatial_weight, 0, 1e6)
        _check_range("optimisation.until", self.until, 0, 1)
        if any(block not in range(4) for block in self.blocks):
            raise InvalidSettings("optimisation.blocks", "decoder blocks are numbered 0 to 3")

    @property
    def is_on(self) -> bool:
        """Whether anything would be optimised at all."""
        return (self.temporal or self.spatial) and self.iterations > 0 and self.until > 0


@dataclass(frozen=True, kw_only=True)
class SmoothingSettings:
    """Background smoothing, see docs/method.md (section 4 of FRESCO, arXiv:2403.12962).

    Applied to the pictures of the denoising steps whose position in the schedule lies in
    [start, stop), and to the decoder features of every optimised step.
    """

    is_on: bool = True
    start: float = 0.8
    stop: float = 0.9
    dilation: int = 9

    def __post_init__(self) -> None:
        _check_range("smoothing.start", self.start, 0, 1)
        _check_range("smoothing.stop", self.stop, self.start, 1)
        _check_range("smoothing.dilation", self.dilation, 0, 101)


@dataclass(frozen=True, kw_only=True)
class RestyleSettings:
    """What to do with a clip. `None` means: as the style says, else as the model recommends.

    `style` names a look that the model knows; with one the prompt may be empty. `style_prompt`,
    its words, are added to the prompt; `resolve` fills them in.
    `strength` is the share of the schedule that is denoised: 1 starts from pure noise. `size` is
    the short side in pixels of the pictures the diffusion model works on. Gaps between keyframes
    lie in [`keyframe_min`, `keyframe_max`] frames. `batch_size` keyframes are translated together.
    `start` and `stop` select source frames (half open). `keyframe_prompts` adds words to the
    prompt of single source frames, `keyframe_seeds` gives them seeds of their own.
    `keyframe_pictures` names files that are taken as they are for keyframes painted by hand;
    `keyframes` are chosen by hand if given, and else by content. The first and the last frame of
    every shot always are keyframes, and so is what has a picture. `keep_colours`
    is the share of the input's colour statistics that is restored; `colourise` keeps the input's
    lightness and takes only colours from the result. `free_u` re-weights the decoder's backbone
    and skip features (FreeU). `interpolation` is how the frames between keyframes are made: by
    guided patch synthesis, or by flow alone. `preset` decides how many steps the model takes where
    `steps` is open; `with_preset` sets it, with what else belongs to it.
    """

    prompt: str
    preset: str = "standard"
    style: str | None = None
    style_prompt: str | None = None
    negative_prompt: str | None = None
    keyframe_prompts: Mapping[int, str] = field(default_factory=dict[int, str])
    keyframe_seeds: Mapping[int, int] = field(default_factory=dict[int, int])
    keyframe_pictures: Mapping[int, str] = field(default_factory=dict[int, str])
    keyframes: tuple[int, ...] = ()
    seed: int = 0
    steps: int | None = None
    strength: float | None = None
    guidance_scale: float | None = None
    control: ControlKind | None = None
    control_scale: float | None = None
    size: int = 512
    batch_size: int = 8
    keyframe_min: int = 5
    keyframe_max: int = 20
    start: int = 0
    stop: int | None = None
    keep_colours: float = 0.0
    colourise: bool = False
    free_u: bool = False
    interpolation: InterpolationKind = "patch"
    shared_noise: bool = True
    shared_step_noise: bool = True
    attention: AttentionSettings = AttentionSettings()
    optimisation: OptimisationSettings = OptimisationSettings()
    smoothing: SmoothingSettings = SmoothingSettings()

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            known = ", ".join(PRESETS)
            raise InvalidSettings("preset", f"{self.preset!r} is unknown; use one of {known}")
        self._check_text()
        self._check_sampling()
        self._check_frames()

    def _check_text(self) -> None:
        if not self.prompt.strip() and self.style is None:
            raise InvalidSettings(
                "prompt",
                "it is empty; say how the clip should look, for example 'a watercolour', or "
                "choose a style",
            )
        if self.control is not None and self.control not in CONTROL_KINDS:
            raise InvalidSettings(
                "control", f"{self.control!r} is unknown; use one of {', '.join(CONTROL_KINDS)}"
            )

        if self.interpolation not in INTERPOLATION_KINDS:
            known = ", ".join(INTERPOLATION_KINDS)
            raise InvalidSettings(
                "interpolation", f"{self.interpolation!r} is unknown; use one of {known}"
            )

    def _check_sampling(self) -> None:
        _check_range("seed", self.seed, 0, _LARGEST_SEED)
        for seed in self.keyframe_seeds.values():
            _check_range("keyframe-seeds", seed, 0, _LARGEST_SEED)
        if self.steps is not None:
            _check_range("steps", self.steps, 1, 1000)
        if self.strength is not None and not 0 < self.strength <= 1:
            raise InvalidSettings("strength", f"{self.strength} is outside 0 (excluded) to 1")
        if self.guidance_scale is not None:
            _check_range("guidance", self.guidance_scale, 0, 50)
        if self.control_scale is not None:
            _check_range("control-scale", self.control_scale, 0, 5)
        _check_range("keep-colours", self.keep_colours, 0, 1)

    def _check_frames(self) -> None:
        named = {
            "keyframe-seeds": self.keyframe_seeds,
            "keyframe-pictures": self.keyframe_pictures,
            "keyframes": self.keyframes,
        }
        for name, indices in named.items():
            if min(indices, default=0) < 0:
                raise InvalidSettings(name, f"there is no frame {min(indices)}; count from 0")
        _check_range("size", self.size, 64, 2048)
        _check_range("batch", self.batch_size, 1, 64)
        _check_range("keyframes", self.keyframe_min, 1, _MOST_GAP)
        if self.batch_size == 2:
            raise InvalidSettings(
                "batch", "2 leaves no room beside the two anchor frames; use 1, or 3 and more"
            )
        if self.keyframe_max < 2 * self.keyframe_min - 1 and self.keyframe_max != self.keyframe_min:
            raise InvalidSettings(
                "keyframes",
                f"gaps of {self.keyframe_min} to {self.keyframe_max} frames cannot always be met; "
                f"let the maximum be at least {2 * self.keyframe_min - 1}",
            )
        if self.start < 0 or (self.stop is not None and self.stop <= self.start):
            raise InvalidSettings(
                "range", f"{self.start}:{self.stop} holds no frame; give first:last, counted from 0"
            )

    def with_preset(self, name: str) -> RestyleSettings:
        """These settings with the costs of a preset: draft, standard or best."""
        chosen = replace(self, preset=name)
        if name != "draft":
            return chosen
        return replace(
            chosen,
            size=min(self.size, 384),
            optimisation=replace(self.optimisation, iterations=8, blocks=(0, 1, 2)),
            smoothing=replace(self.smoothing, is_on=False),
            interpolation="flow",
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return asdict(self)


def settings_from_dict(values: Mapping[str, Any]) -> RestyleSettings:
    """The settings `as_dict` was made from.

    Raises:
        InvalidSettings: a key is unknown or a value is out of range.
    """
    nested = {
        "attention": AttentionSettings,
        "optimisation": OptimisationSettings,
        "smoothing": SmoothingSettings,
    }
    known = dict(values)
    try:
        for name, kind in nested.items():
            if name in known:
                part = dict(known[name])
                if "blocks" in part:
                    part["blocks"] = tuple(part["blocks"])
                known[name] = kind(**part)
        if "keyframes" in known:
            known["keyframes"] = tuple(sorted(set(known["keyframes"])))
        for name in ("keyframe_prompts", "keyframe_seeds", "keyframe_pictures"):
            if name in known:  # JSON has only texts for keys.
                known[name] = {int(index): value for index, value in known[name].items()}
        return RestyleSettings(**known)
    except TypeError as error:
        raise InvalidSettings(
            "settings", f"{error}; remove what this version does not know"
        ) from error


@dataclass(frozen=True, kw_only=True)
class ModelDefaults:
    """What a model's maker recommends; fills the settings a user left open.

    `draft_steps` and `best_steps` take the place of `steps` with these presets.
    """

    guidance_scale: float = 7.5
    strength: float = 0.75
    steps: int = 20
    draft_steps: int = 8
    best_steps: int = 20
    control: ControlKind = "canny"
    control_scale: float = 0.8

    def values(self, preset: str) -> dict[str, Any]:
        """By the names of the settings they fill."""
        return {
            "guidance_scale": self.guidance_scale,
            "strength": self.strength,
            "steps": {"draft": self.draft_steps, "best": self.best_steps}.get(preset, self.steps),
            "control": self.control,
            "control_scale": self.control_scale,
        }


@dataclass(frozen=True, kw_only=True)
class Style:
    """A look the model knows: the words that call for it, and the settings that suit it.

    `words` are for people to read; `prompt` is what choosing the style adds to the prompt.
    `None` means: as the model recommends.
    """

    name: str
    words: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    strength: float | None = None
    guidance_scale: float | None = None


def find_style(name: str, styles: Sequence[Style]) -> Style:
    """The style of that name; capitals, and hyphens for spaces, do not matter.

    Raises:
        InvalidSettings: there is none.
    """

    def plain(text: str) -> str:
        return text.strip().casefold().replace("-", " ")

    for style in styles:
        if plain(style.name) == plain(name):
            return style
    if not styles:
        raise InvalidSettings(
            "style", f"this model knows no styles, so not {name!r}; say the look in the prompt"
        )
    known = ", ".join(style.name for style in styles)
    raise InvalidSettings("style", f"{name!r} is unknown to this model; use one of {known}")


def resolve(
    settings: RestyleSettings, defaults: ModelDefaults, styles: Sequence[Style] = ()
) -> RestyleSettings:
    """`settings` with every `None` that style or model decide replaced by their value.

    What was set stays, the style's value wins over the model's. Resolving twice changes nothing.

    Raises:
        InvalidSettings: the style is not one of `styles`.
    """
    values = defaults.values(settings.preset)
    if settings.style is None:
        return _filled(settings, {"negative_prompt": "", **values})
    style = find_style(settings.style, styles)
    values |= {
        "style_prompt": style.prompt or style.name,
        "strength": style.strength or defaults.strength,
        "guidance_scale": (
            defaults.guidance_scale if style.guidance_scale is None else style.guidance_scale
        ),
    }
    settings = _filled(settings, values)
    # Without guidance it would have no effect, and the user be warned of what they did not say.
    is_guided = (settings.guidance_scale or 0) > 1
    return _filled(settings, {"negative_prompt": style.negative_prompt if is_guided else ""})


def _filled(settings: RestyleSettings, values: Mapping[str, Any]) -> RestyleSettings:
    missing = {name: value for name, value in values.items() if getattr(settings, name) is None}
    return replace(settings, **missing)
