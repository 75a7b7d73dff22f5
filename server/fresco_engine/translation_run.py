"""What stays the same while keyframes are translated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from fresco_media.clip import Clip
from fresco_media.mask import MaskClip
from fresco_media.painted.known import KnownKeys
from fresco_media.stills.images import WorkingSize

from fresco_engine.checkpoint import Checkpoint
from fresco_engine.compositing.composer import Composer
from fresco_engine.compositing.regions import CarriedRegion, DrawnRegion, Region
from fresco_engine.correspondence.flow import FlowEstimator
from fresco_engine.correspondence.subject.estimator import (
    DrawnSubject,
    MovingSubject,
    SubjectEstimator,
)
from fresco_engine.lazy_model import LazyModel
from fresco_engine.memory_fallback import MemoryFallback
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.reference_models import ReferencePicture
from fresco_engine.remote_parts import RemoteParts
from fresco_engine.settings import RestyleSettings
from fresco_engine.subject_models import NamedSubject


@dataclass(frozen=True, kw_only=True)
class TranslationRun:
    """What stays the same for a whole run of translated keyframes.

    `settings` are resolved once there is a plan, `size` is theirs. `estimator` is called from
    several threads. `mask` is white where the clip's subject is, None where nobody has said so;
    `named` finds it where it was named in words and matters. `painted` are the painted keyframes
    as they were when the run began. `reference` is a picture whose look is taken. `region` is where
    the clip may be changed, None for everywhere, and `composer` shows it elsewhere. `ahead` are
    keyframes that are translated before those around them. `remote` is who makes the parts, None
    where that is done here.
    """

    clip: Clip
    settings: RestyleSettings
    size: WorkingSize
    model: LazyModel
    estimator: FlowEstimator
    checkpoint: Checkpoint
    fallback: MemoryFallback
    tracker: ProgressTracker
    painted: KnownKeys
    mask: MaskClip | None = None
    named: NamedSubject | None = None
    reference: ReferencePicture | None = None
    region: Region | None = None
    composer: Composer | None = None
    ahead: frozenset[int] = frozenset()
    remote: RemoteParts | None = None

    @property
    def subject(self) -> SubjectEstimator:
        """What tells the subject in batches of keyframes."""
        return subject_of(self.mask, self.named, self.size)

    def in_its_region(self) -> TranslationRun:
        """The same with the region that the settings choose, from its beginning."""
        region = self._chosen_region()
        if region is None:
            return replace(self, region=None, composer=None)
        return replace(self, region=region, composer=Composer(self.clip, self._stop, region))

    def _chosen_region(self) -> Region | None:
        chosen = self.settings.region
        if chosen == "all":
            return None
        if self.mask is None:
            return CarriedRegion(self.clip, self._stop)
        is_inverted = chosen == "background"
        return DrawnRegion(self.mask, self.clip, self._stop, is_inverted=is_inverted)

    @property
    def _stop(self) -> int:
        stop = self.settings.stop
        return self.clip.info.frame_count if stop is None else stop


def subject_of(
    mask: MaskClip | None, named: NamedSubject | None, size: WorkingSize
) -> SubjectEstimator:
    """What tells the subject: its mask, or else its name, or else its motion."""
    if mask is not None:
        return DrawnSubject(mask, size)
    return named or MovingSubject()


def mask_of(clip: Clip, settings: RestyleSettings) -> MaskClip | None:
    """The subject's mask, where the settings name one.

    Raises:
        ClipError, MaskUnusable: as `MaskClip.open`.
    """
    mask = settings.subject_mask
    return None if mask is None else MaskClip.open(mask, clip.info)


def named_subject(settings: RestyleSettings, model: LazyModel) -> NamedSubject | None:
    """What finds the subject by its name, where it has one and it matters what is background."""
    if settings.subject is None or settings.subject_mask is not None or not settings.needs_subject:
        return None
    return NamedSubject(settings.subject, model)
