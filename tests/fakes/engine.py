"""An engine without a model: it turns frames into their negatives, and fails on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from fresco_engine.checkpoint import Adjustments
from fresco_engine.diffusion.catalogue import ModelEntry, ModelState
from fresco_engine.diffusion.cost import BatchCost
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import (
    ClipAnalysed,
    Event,
    FrameMade,
    KeyframeMade,
    LookedFrame,
    Progress,
    Report,
    RunFinished,
    RunWarned,
    Stage,
)
from fresco_media.clip import Clip
from fresco_media.stills.numbered_folder import write_numbered
from fresco_media.types import Frame
from fresco_media.writing.delivery import Codec
from fresco_media.writing.originals import NO_ORIGINALS, Originals
from fresco_media.writing.writer import FrameWriter, open_writer
from fresco_server.local.engine import InProcessEngine


@dataclass
class FakeEngine(InProcessEngine):
    """Media are real, the model is not; `failure` is raised at the frame `fails_at`.

    `before_look` is called when a look is under way.
    """

    sample: Path | None = None
    failure: BaseException | None = None
    fails_at: int = 3
    before_look: Callable[[], object] = lambda: None
    warnings: tuple[str, ...] = ()
    models: tuple[ModelEntry, ...] = ()
    adjustments: Adjustments = field(default_factory=Adjustments)
    loaded: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    settings: list[RestyleSettings] = field(default_factory=list[RestyleSettings])

    def load_model(
        self,
        source: str | None,
        *,
        control: str | None,
        control_source: str | None,
        loras: Sequence[tuple[Path, float]],
        device: str | None,
        vae: str | None = None,
        folders: Sequence[str] = (),
        settings: Mapping[str, Any] | None = None,
    ) -> Any:
        """Remember what was asked for."""
        self.loaded.append(
            {
                "source": source,
                "control": control,
                "control_source": control_source,
                "loras": tuple(loras),
                "device": device,
                "vae": vae,
                "folders": tuple(folders),
            }
        )
        return "negative"

    def batch_cost(
        self, clip: Clip, settings: RestyleSettings, model: Any, frames: int
    ) -> BatchCost:
        """A gigabyte, and half of one for each frame."""
        return BatchCost(
            weights_bytes=10**9, working_bytes=frames * 5 * 10**8, operations=frames * 1e9
        )

    def fitting(self, clip: Clip, settings: RestyleSettings, model: Any) -> Adjustments:
        """Everything fits, or what the test says."""
        return self.adjustments

    def render(
        self,
        clip: Clip,
        output: Path | None,
        settings: RestyleSettings,
        model: Any,
        *,
        codec: Codec | None = None,
        overwrite: bool = False,
        save_keyframes: Path | None = None,
        originals: Originals = NO_ORIGINALS,
    ) -> Iterator[Event]:
        """Write the negative of every frame."""
        assert model == "negative"
        self.settings.append(settings)
        plan = self.plan(clip, settings)
        opened: AbstractContextManager[FrameWriter | None] = nullcontext()
        if output is not None:
            opened = open_writer(
                output,
                clip,
                codec=codec,
                overwrite=overwrite,
                start=plan.start,
                stop=plan.stop,
                originals=originals,
            )
        with opened as writer:
            yield from (RunWarned(text) for text in self.warnings)
            yield plan
            for frame in clip.frames(plan.start, plan.stop):
                if self.failure is not None and frame.index == self.fails_at:
                    raise self.failure
                made = Frame(frame.index, frame.time_s, 255 - frame.image)
                if frame.index in plan.keyframes:
                    yield from _keyframe(made, save_keyframes, clip.first_number)
                if writer is not None:
                    writer.write(made)
                yield FrameMade(made, frame.index in plan.keyframes)
                yield _progress(plan, frame.index)
        yield RunFinished(_report(clip, plan, output))

    def look(self, clip: Clip, index: int, settings: RestyleSettings, model: Any) -> LookedFrame:
        """The negative of one frame; a region is its left half."""
        assert model == "negative"
        self.settings.append(settings)
        if self.failure is not None:
            raise self.failure
        self.before_look()
        image = 255 - next(clip.frames_at([index])).image
        if settings.region == "all":
            return LookedFrame(image, matte=self.matte(clip, index))
        region = np.zeros(image.shape[:2], np.bool_)
        region[:, : image.shape[1] // 2] = True
        return LookedFrame(image, region, self.matte(clip, index))

    def look_controls(
        self, clip: Clip, index: int, settings: RestyleSettings, model: Any
    ) -> LookedFrame:
        """The lightness of one frame."""
        assert model == "negative"
        self.settings.append(settings)
        picture = next(clip.frames_at([index])).image
        return LookedFrame(picture.max(axis=2, keepdims=True).repeat(3, axis=2))

    def list_models(self) -> Sequence[ModelEntry]:
        """The models the test gave."""
        return self.models

    def sample_clip(self) -> Path:
        """The clip the test gave."""
        assert self.sample is not None
        return self.sample


def bundled_entry(problem: str | None = None) -> ModelEntry:
    """A model as the catalogue lists it."""
    return ModelEntry(
        source="/models/negative",
        name="negative",
        state=ModelState.BUNDLED,
        size_bytes=12_000_000,
        memory_bytes=48_000_000,
        problem=problem,
    )


def _keyframe(frame: Frame, folder: Path | None, first_number: int) -> Iterator[Event]:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_numbered(folder, first_number + frame.index, frame.image)
    yield KeyframeMade(frame.index, frame.image)


def _progress(plan: ClipAnalysed, index: int) -> Progress:
    total = plan.stop - plan.start
    done = index - plan.start + 1
    return Progress(
        stage=Stage.INTERPOLATING, done=done, total=total, remaining_s=float(total - done)
    )


def _report(clip: Clip, plan: ClipAnalysed, output: Path | None) -> Report:
    return Report(
        settings=plan.settings.as_dict(),
        model="negative",
        device="cpu",
        clip={"path": str(clip.info.path), "frames": clip.info.frame_count},
        keyframes=plan.keyframes,
        shots=plan.shots,
        working_size=plan.working_size,
        seconds={"interpolating": 0.5},
        peak_memory_bytes=1_000_000,
        metrics={"pixel_mse": 0.0},
        outputs={} if output is None else {"clip": str(output)},
    )
