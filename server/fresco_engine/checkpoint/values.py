"""What a run leaves behind beside its pictures: its plan, its batches, what it had to change."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from fresco_media.colour.scaling import WorkingSize, working_size
from fresco_media.types import ClipProperties
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from fresco_engine.errors import CheckpointMismatch, InvalidSettings
from fresco_engine.settings import RestyleSettings, check_gaps, settings_from_dict
from fresco_engine.types import ClipAnalysed

_VERSION = 1
_RATE = re.compile(r"([0-9]{1,30})(?:/([0-9]{1,30}))?")
_MOST_FRAMES = 1 << 31
_SIDE = 1 << 20
_MAY_CHANGE = frozenset({"keyframe_prompts", "keyframe_seeds", "keyframe_pictures", "batch_size"})
"""Settings that may be others when a run goes on: what is stored is kept as it is."""
_NEVER_RECOMMENDED = frozenset({"subject", "subject_mask", "reference", "reference_model"})
"""Settings that are None because there is none, and not because the model decides."""


@dataclass(frozen=True, kw_only=True)
class StoredPlan:
    """The plan of a run without its clip; `settings` hold no `None` that the model decides.

    `warnings` are those that cannot be told again without decoding all of the clip, or without
    loading the model. `mask` is the digest of the mask that says where its subject is, empty where
    none does; `reference` is that of the picture whose look is taken. `ahead` are keyframes that
    are translated before those around them.
    """

    frame_count: int
    width: int
    height: int
    frame_rate: Fraction
    settings: RestyleSettings
    model: str
    device: str
    start: int
    stop: int
    shots: tuple[tuple[int, int], ...]
    keyframes: tuple[int, ...]
    warnings: tuple[str, ...] = ()
    mask: str = ""
    reference: str = ""
    ahead: tuple[int, ...] = ()

    @staticmethod
    def of(
        plan: ClipAnalysed,
        *,
        model: str,
        device: str,
        warnings: tuple[str, ...],
        mask: str = "",
        reference: str = "",
    ) -> StoredPlan:
        """What is kept of `plan`, which is that of a translation."""
        assert isinstance(plan.settings, RestyleSettings)
        return StoredPlan(
            frame_count=plan.info.frame_count,
            width=plan.info.width,
            height=plan.info.height,
            frame_rate=plan.info.frame_rate,
            settings=plan.settings,
            model=model,
            device=device,
            start=plan.start,
            stop=plan.stop,
            shots=plan.shots,
            keyframes=plan.keyframes,
            warnings=warnings,
            mask=mask,
            reference=reference,
            ahead=plan.ahead,
        )

    @property
    def size(self) -> WorkingSize:
        """Sizes of the clip and of the stored pictures."""
        return working_size(self.width, self.height, self.settings.size)

    def analysed(self, info: ClipProperties, settings: RestyleSettings) -> ClipAnalysed:
        """The plan as it was announced, for the same clip and settings that agree."""
        return ClipAnalysed(
            info=info,
            settings=settings,
            start=self.start,
            stop=self.stop,
            shots=self.shots,
            keyframes=self.keyframes,
            working_size=self.size.padded,
            ahead=self.ahead,
        )

    def agreed(
        self, info: ClipProperties, settings: RestyleSettings, folder: Path
    ) -> RestyleSettings:
        """`settings` with the stored values where the model decides.

        Raises:
            CheckpointMismatch: the clip is another one, or settings differ that may not.
        """
        for name in ("frame_count", "width", "height", "frame_rate"):
            stored, given = getattr(self, name), getattr(info, name)
            if stored != given:
                what = name.replace("_", " ")
                raise CheckpointMismatch(
                    folder,
                    f"the clip has another {what} ({given}) than when this job began ({stored}); "
                    "bring the clip back as it was or start a new job",
                )
        return self._agreed_settings(settings, folder)

    def _agreed_settings(self, settings: RestyleSettings, folder: Path) -> RestyleSettings:
        given, stored = asdict(settings), asdict(self.settings)
        open_names = [
            name
            for name, value in given.items()
            if value is None and stored[name] is not None and name not in _NEVER_RECOMMENDED
        ]
        settings = replace(settings, **{name: stored[name] for name in open_names})
        given = asdict(settings)
        changed = [
            name for name in given if name not in _MAY_CHANGE and given[name] != stored[name]
        ]
        if changed:
            shown = ", ".join(
                f"{name.replace('_', ' ')} {given[name]} (was {stored[name]})" for name in changed
            )
            raise CheckpointMismatch(
                folder, f"the job began with other settings: {shown}; start a new job for them"
            )
        return settings

    def check_mask(self, digest: str, folder: Path) -> None:
        """Insist on the mask that the run began with.

        Raises:
            CheckpointMismatch: its files hold something else by now.
        """
        if digest != self.mask:
            raise CheckpointMismatch(
                folder,
                f"{self.settings.subject_mask} is another mask than when this job began; bring it "
                "back as it was or start a new job",
            )

    def check_reference(self, digest: str, folder: Path) -> None:
        """Insist on the reference picture that the run began with.

        Raises:
            CheckpointMismatch: its file holds something else by now.
        """
        if digest != self.reference:
            raise CheckpointMismatch(
                folder,
                f"{self.settings.reference} is another picture than when this job began; bring it "
                "back as it was or start a new job",
            )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            **asdict(self),
            "version": _VERSION,
            "frame_rate": str(self.frame_rate),
            "settings": self.settings.as_dict(),
        }

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> StoredPlan:
        """The plan `as_dict` was made from.

        Raises:
            ValueError: it is not one, or one of another version.
        """
        known = dict(values)
        try:
            if known.pop("version") != _VERSION:
                raise ValueError("another version")
            known["frame_rate"] = _rate(known["frame_rate"])
            known["settings"] = settings_from_dict(known["settings"])
            known["shots"] = tuple((first, stop) for first, stop in known["shots"])
            known["keyframes"] = tuple(known["keyframes"])
            known["warnings"] = tuple(known["warnings"])
            known["ahead"] = tuple(known.get("ahead", ()))
            plan = StoredPlan(**known)
            _check_sound(plan)
        except (LookupError, TypeError, AttributeError, InvalidSettings) as error:
            raise ValueError(f"not a plan: {error}") from error
        return plan


def _rate(text: object) -> Fraction:
    found = _RATE.fullmatch(text) if isinstance(text, str) else None
    if found is None or not int(found[2] or 1):
        raise ValueError("not a plan: its frame rate is none")
    return Fraction(int(found[1]), int(found[2] or 1))


def _check_sound(plan: StoredPlan) -> None:
    """Raise ValueError or InvalidSettings for what no run can have planned."""
    numbers = (plan.frame_count, plan.width, plan.height, plan.start, plan.stop, *plan.keyframes)
    ends = (0, *(end for shot in plan.shots for end in shot))
    texts = (plan.model, plan.device, plan.mask, plan.reference, *plan.warnings)
    has_types = all(type(number) is int for number in (*numbers, *ends))
    if not has_types or not all(isinstance(text, str) for text in texts):
        raise ValueError("not a plan: it has values of other kinds")
    inside = 0 <= plan.start < plan.stop <= plan.frame_count <= _MOST_FRAMES
    if not inside or not 0 < min(plan.width, plan.height) <= max(plan.width, plan.height) < _SIDE:
        raise ValueError("not a plan: its numbers are out of range")
    joins = [plan.start, *(stop for _, stop in plan.shots)]
    follow = all(
        first == join < stop for (first, stop), join in zip(plan.shots, joins, strict=False)
    )
    if not plan.shots or not follow or joins[-1] != plan.stop:
        raise ValueError("not a plan: its shots do not follow each other")
    keyframes = plan.keyframes
    fit = plan.start <= min(keyframes, default=-1) and max(keyframes, default=0) < plan.stop
    if tuple(sorted(set(keyframes))) != keyframes or not fit:
        raise ValueError("not a plan: its keyframes are not in order, or outside of it")
    check_gaps(plan.keyframes)
    if not set(plan.ahead) <= set(keyframes) or tuple(sorted(plan.ahead)) != plan.ahead:
        raise ValueError("not a plan: what is translated first are no keyframes")


@dataclass(frozen=True)
class StoredBatch:
    """A translated batch: its anchor frames, its new keyframes, and latents for the next batch.

    `first` and `last` are the latents of its first and last frame, one entry per denoising step
    and the result: (steps + 1, c, h, w) float32. `origin_frame` (H, W) int32 and `origin_place`
    (2, H, W) float32 say in which frame, and where, each pixel of its last frame was first seen.

    A batch whose keyframes are all anchors of others has a record for each: in it that keyframe,
    `ahead`, stands for the last frame.
    """

    anchors: tuple[int, ...]
    new: tuple[int, ...]
    first: NDArray[np.float32]
    last: NDArray[np.float32]
    origin_frame: NDArray[np.int32]
    origin_place: NDArray[np.float32]
    ahead: int | None = None

    @property
    def key(self) -> int:
        """What it is stored under: its first new keyframe, or the one that it is the record of."""
        return self.new[0] if self.ahead is None else self.ahead

    @property
    def frame(self) -> int:
        """The frame that `last` and the origins are of."""
        return self.new[-1] if self.ahead is None else self.ahead

    def packed(self) -> bytes:
        """It as a file, with a check sum."""
        arrays = {
            "anchors": np.asarray(self.anchors, np.int64),
            "new": np.asarray(self.new, np.int64),
            "first": np.ascontiguousarray(self.first),
            "last": np.ascontiguousarray(self.last),
            "origin_frame": np.ascontiguousarray(self.origin_frame),
            "origin_place": np.ascontiguousarray(self.origin_place),
        }
        if self.ahead is not None:
            arrays["ahead"] = np.asarray([self.ahead], np.int64)
        return _packed(arrays)

    @staticmethod
    def unpacked(data: bytes) -> StoredBatch | None:
        """The batch that was `packed`; None where that is damaged or no batch."""
        try:
            arrays = _unpacked(data)
            new, first, last = arrays["new"], arrays["first"], arrays["last"]
            is_sound = new.ndim == 1 and new.size and first.shape == last.shape and first.ndim == 4
            frame, place = arrays["origin_frame"], arrays["origin_place"]
            is_sound = is_sound and frame.ndim == 2 and place.shape == (2, *frame.shape)
            are_floats = first.dtype == last.dtype == place.dtype == np.float32
            if not is_sound or not are_floats or frame.dtype != np.int32:
                return None
            return StoredBatch(
                anchors=tuple(int(index) for index in arrays["anchors"]),
                new=tuple(int(index) for index in new),
                first=first,
                last=last,
                origin_frame=frame,
                origin_place=place,
                ahead=int(arrays["ahead"][0]) if "ahead" in arrays else None,
            )
        except (SafetensorError, LookupError, ValueError, TypeError):
            return None


def packed_arrays(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Arrays as a file, with a check sum."""
    return _packed({name: np.ascontiguousarray(array) for name, array in arrays.items()})


def unpacked_arrays(data: bytes) -> dict[str, NDArray[np.float32]] | None:
    """The arrays that were `packed_arrays`; None where that is damaged, or holds others."""
    try:
        arrays = _unpacked(data)
    except (SafetensorError, LookupError, ValueError, TypeError):
        return None
    return arrays if all(array.dtype == np.float32 for array in arrays.values()) else None


def _packed(arrays: Mapping[str, np.ndarray]) -> bytes:
    return save({**arrays, "check": _check_sum(arrays)})


def _unpacked(data: bytes) -> dict[str, np.ndarray]:
    """Raises SafetensorError or LookupError for what is no such file, ValueError if damaged."""
    arrays = load(data)
    if not np.array_equal(arrays.pop("check"), _check_sum(arrays)):
        raise ValueError("damaged")
    return arrays


def _check_sum(arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    total = 0
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return np.asarray([total], np.int64)


@dataclass(frozen=True, kw_only=True)
class Adjustments:
    """What a run had to change to fit into the device's memory; `None` is as asked.

    `is_tiled`: the autoencoder works on one part of a picture after the other.
    """

    batch_size: int | None = None
    size: int | None = None
    is_tiled: bool = False

    @staticmethod
    def from_dict(values: Mapping[str, Any]) -> Adjustments:
        """What was stored; nothing where that cannot be."""
        numbers = (values.get(name) for name in ("batch_size", "size"))
        sound = (
            number if type(number) is int and 0 < number < _SIDE else None for number in numbers
        )
        batch_size, size = sound
        is_tiled = values.get("is_tiled") is True
        return Adjustments(batch_size=batch_size, size=size, is_tiled=is_tiled)

    def applied(self, settings: RestyleSettings) -> RestyleSettings:
        """`settings` with what had to be lowered."""
        return replace(
            settings,
            batch_size=self.batch_size or settings.batch_size,
            size=self.size or settings.size,
        )
