"""The engine as a session and the command line use it, loaded only when it is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fresco_media.writing.delivery import Codec
from fresco_media.writing.originals import NO_ORIGINALS, Originals

if TYPE_CHECKING:
    from fresco_engine.checkpoint import Adjustments
    from fresco_engine.diffusion.catalogue import ModelEntry
    from fresco_engine.diffusion.cost import BatchCost
    from fresco_engine.settings import InterpolationKind, RestyleSettings
    from fresco_engine.types import ClipAnalysed, Event, LookedFrame, Report
    from fresco_media.clip import Clip
    from fresco_media.mask import MaskClip
    from fresco_media.types import Matte


@dataclass(frozen=True, kw_only=True)
class PropagationJob:
    """Everything about one run of `propagate`."""

    clip: Path
    keys: Path
    output: Path
    interpolation: InterpolationKind = "patch"
    frame_rate: Fraction | None = None
    size: int | None = None
    start: int = 0
    stop: int | None = None
    first_number: int | None = None
    codec: Codec | None = None
    overwrite: bool = False
    error_maps: Path | None = None
    resume: Path | None = None
    device: str | None = None
    originals: Originals = NO_ORIGINALS


class InProcessEngine:
    """The engine in this process; torch and the codecs load with the first call.

    A model is opaque to those who use it.
    """

    def open_clip(self, path: Path, frame_rate: Fraction | None = None) -> Clip:
        """The clip at `path`."""
        from fresco_media.clip import Clip

        return Clip.open(path, frame_rate=frame_rate)

    def open_mask(self, clip: Clip, settings: RestyleSettings) -> MaskClip | None:
        """The mask of the subject that the settings name, if they name one.

        Raises:
            ClipError, MaskUnusable: it cannot be the clip's.
        """
        from fresco_media.mask import MaskClip

        mask = settings.subject_mask
        return None if mask is None else MaskClip.open(mask, clip.info)

    def check_reference(self, settings: RestyleSettings) -> None:
        """Raises what `render` would over a reference picture that cannot be read."""
        from fresco_engine.reference_file import read_reference

        if settings.reference is not None:
            read_reference(settings.reference)

    def check_mask(self, mask: MaskClip, clip: Clip, settings: RestyleSettings) -> None:
        """Raises what `render` would over a mask that ends early or is nowhere white."""
        from fresco_server.worker.media import check_mask

        check_mask(mask, clip, settings.start, settings.stop, settings.size)

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
        """A model ready to run; `loras` are files and their weights.

        Those that the prompts of `settings` name are looked for in `folders`; these also say how
        the networks are kept and run.
        """
        from fresco_engine.diffusion.execution import ExecutionChoice
        from fresco_engine.diffusion.library import Library
        from fresco_engine.diffusion.lora import Lora
        from fresco_engine.diffusion.models import load_model
        from fresco_engine.diffusion.prompting.files import named_loras

        named = named_loras(settings or {}, Library.of(source, folders))

        return load_model(
            source,
            control=control,
            control_source=control_source,
            loras=[*(Lora(path, weight) for path, weight in loras), *named],
            vae=vae,
            folders=folders,
            device=device,
            execution=ExecutionChoice.of(settings or {}),
        )

    def plan(self, clip: Clip, settings: RestyleSettings) -> ClipAnalysed:
        """Shots and keyframes of a clip."""
        from fresco_engine.planning import plan

        return plan(clip, settings)

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
        """Restyle into a file; closing the iterator cancels and removes what is half-written.

        Without an output, frames are only announced.
        """
        from fresco_engine.rendering import render

        return render(
            clip,
            output,
            settings,
            model,
            codec=codec,
            overwrite=overwrite,
            save_keyframes=save_keyframes,
            originals=originals,
        )

    def check_output(
        self,
        path: Path,
        clip: Clip,
        settings: RestyleSettings,
        *,
        codec: Codec | None,
        overwrite: bool,
        originals: Originals = NO_ORIGINALS,
    ) -> Codec:
        """What the output is written as; raises what `render` would, without a model."""
        from fresco_media.errors import RangeOutsideClip
        from fresco_media.writing.destination import check_destination

        total, start = clip.info.frame_count, settings.start
        stop = total if settings.stop is None else settings.stop
        if not 0 <= start < stop <= total:
            raise RangeOutsideClip(clip.info.path, start, stop, total)
        span = range(start, stop)
        return check_destination(path, clip, span, codec, overwrite, originals=originals).codec

    def propagate(self, job: PropagationJob) -> Iterator[Event]:
        """Carry painted keys over a clip; closing the iterator cancels like that of `render`."""
        from fresco_engine.propagation_settings import PropagateSettings
        from fresco_engine.rendering import PropagationFiles, render_propagation

        settings = PropagateSettings(
            interpolation=job.interpolation,
            size=job.size,
            start=job.start,
            stop=job.stop,
            first_number=job.first_number,
        )
        return render_propagation(
            self.open_clip(job.clip, job.frame_rate),
            job.keys,
            job.output,
            settings,
            codec=job.codec,
            overwrite=job.overwrite,
            device=_chosen_device(job.device),
            files=PropagationFiles(error_maps=job.error_maps, resume=job.resume),
            originals=job.originals,
        )

    def save_report(self, report: Report, path: Path, *, is_new: bool = False) -> None:
        """Write a report as JSON."""
        from fresco_engine.report_file import save_report

        save_report(report, path, is_new=is_new)

    def matte(self, clip: Clip, index: int) -> Matte | None:
        """How opaque a frame is, None where it is so everywhere."""
        from fresco_engine.mattes import matte_of

        return matte_of(clip, index)

    def look(self, clip: Clip, index: int, settings: RestyleSettings, model: Any) -> LookedFrame:
        """One frame restyled."""
        from fresco_engine.looks import look_frame

        return look_frame(clip, index, settings, model)

    def look_controls(
        self, clip: Clip, index: int, settings: RestyleSettings, model: Any
    ) -> LookedFrame:
        """What of one frame's structure binds."""
        from fresco_engine.looks import look_controls
        from fresco_engine.types import LookedFrame

        return LookedFrame(look_controls(clip, index, settings, model))

    def batch_cost(
        self, clip: Clip, settings: RestyleSettings, model: Any, frames: int
    ) -> BatchCost:
        """What `frames` keyframes of a clip take when they are translated together."""
        from fresco_engine.diffusion.cost import batch_cost
        from fresco_media.colour.scaling import working_size

        info = clip.info
        width, height = working_size(info.width, info.height, settings.size).padded
        return batch_cost(
            model, model.resolved(settings), frames=frames, height=height, width=width
        )

    def fitting(self, clip: Clip, settings: RestyleSettings, model: Any) -> Adjustments:
        """What would be changed for the keyframes of a clip to fit on the model's device.

        Raises:
            OutOfDeviceMemory: not even one fits.
        """
        from fresco_engine.checkpoint import Adjustments
        from fresco_engine.diffusion.memory import device_room
        from fresco_engine.memory_fallback import fitting
        from fresco_media.colour.scaling import working_size

        free = device_room(model.device)
        if free is None:
            return Adjustments()
        info = clip.info
        width, height = working_size(info.width, info.height, settings.size).padded
        return fitting(model, model.resolved(settings), height, width, free)

    def list_models(self) -> Sequence[ModelEntry]:
        """The models there are, the bundled one first."""
        from fresco_engine.diffusion.catalogue import list_models

        return list_models()

    def pull(self, source: str) -> Iterator[tuple[int, int]]:
        """Download a model, yielding bytes that are here and bytes in all (0: not known)."""
        from concurrent.futures import ThreadPoolExecutor, wait

        from fresco_engine.diffusion.sources import cached_bytes, download_size, locate

        with ThreadPoolExecutor(2) as pool:
            download, size = pool.submit(locate, source), pool.submit(download_size, source)
            while not download.done():
                yield cached_bytes(source), size.result() if size.done() else 0
                wait([download], timeout=0.5)
            download.result()
        here = cached_bytes(source)
        yield here, here

    def sample_clip(self) -> Path:
        """The clip that comes with Fresco."""
        from fresco_engine.sample import sample_clip_path

        return sample_clip_path()


def _chosen_device(name: str | None) -> str:
    """The device of this name; without one a GPU that can search patches, else the processor.

    Raises:
        InvalidSettings: the name is unknown or the device is not there.
    """
    import torch

    if name:
        from fresco_engine.diffusion.models import choose_device

        return str(choose_device(name))
    return "cuda" if torch.cuda.is_available() else "cpu"
