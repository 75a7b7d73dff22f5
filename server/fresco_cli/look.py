"""`fresco look`: one frame restyled, for choosing prompt and strength."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from fresco_media.types import Image

from fresco_cli import destinations, hangup, options
from fresco_cli.choices import LookChoices
from fresco_cli.daemons import Tools, check_options, or_locally
from fresco_cli.grouping import grouped
from fresco_cli.inputs import clip_inputs, named_inputs
from fresco_cli.job_spec import Warnings
from fresco_cli.options import DaemonOptions, ModelOptions, ReportingOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, make_output, write_error, write_json
from fresco_cli.parsing import parse_frame_rate, place
from fresco_cli.remedies import in_flags

if TYPE_CHECKING:
    from fresco_client import LookedPicture, SessionLike
    from fresco_engine.settings import RestyleSettings
    from fresco_media.clip import Clip


@grouped
def look(
    context: typer.Context,
    clip: options.ClipPath,
    frame: Annotated[
        int, typer.Option("--frame", metavar="N", help="Which frame, counted from 0.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", parser=place, metavar="PNG", help="The picture to write."),
    ],
    choices: LookChoices,
    model: ModelOptions,
    daemon: DaemonOptions,
    telling: ReportingOptions,
    frame_rate: options.FrameRate = None,
    overwrite: options.Overwrite = False,
    show_control: Annotated[
        bool,
        typer.Option(
            "--show-control",
            help="Write what of the frame's structure binds instead: a picture for each control.",
        ),
    ] = False,
    show_region: Annotated[
        bool,
        typer.Option("--show-region", help="Mark where the frame is changed: the rest is dim."),
    ] = False,
    in_process: options.Local = False,
) -> None:
    """Restyle one frame of a clip."""
    tools: Tools = context.obj
    channel = make_output(as_json=telling.as_json, quiet=telling.quiet)
    with told(channel, debug=telling.debug):
        from fresco_media.stills.images import displayed, write_image

        destinations.check_picture(output, overwrite=overwrite)
        check_options(daemon)
        choices = _worded(choices, show_control=show_control)
        settings = choices.settings()
        if show_region:
            _check_region(settings, show_control=show_control)
        opened = tools.engine.open_clip(clip, parse_frame_rate(frame_rate))
        _warn(() if telling.quiet else opened.warnings)
        opened.frames_at([frame])  # Raises at once when there is no such frame.
        tools.engine.check_reference(settings)
        originals = clip_inputs(opened.info) | named_inputs(model, settings)
        originals.check(output)
        Warnings(channel).say(*_doubts(opened, settings))
        began = time.perf_counter()
        request = _LookRequest(
            clip, opened, frame, frame_rate, choices, model, daemon, show_control
        )
        with _session(tools, request, channel, in_process=in_process) as session:
            looked = _made(session, request, channel)
        picture = _shown(looked, channel, with_region=show_region)
        originals.check(output)
        write_image(output, displayed(picture, opened.info.sample_aspect), is_new=not overwrite)
        _finish(channel, output, frame, time.perf_counter() - began, as_json=telling.as_json)


def _check_region(settings: RestyleSettings, *, show_control: bool) -> None:
    from fresco_engine.errors import InvalidSettings

    if show_control:
        raise typer.BadParameter("show what binds or where it changes, not both")
    if settings.region == "all":
        raise InvalidSettings(
            "region", "the whole frame may be changed, so there is nothing to mark; choose a part"
        )


def _warn(texts: Iterable[str]) -> None:
    for text in texts:
        write_error(f"Warning: {in_flags(text)}")


def _finish(channel: Output, output: Path, frame: int, seconds: float, *, as_json: bool) -> None:
    if as_json:
        write_json({"event": "finished", "output": str(output), "seconds": round(seconds, 3)})
    channel.result(f"{output}: frame {frame} in {seconds:.0f} s")


def _worded(choices: LookChoices, *, show_control: bool) -> LookChoices:
    """With a prompt where none is needed: what binds does not depend on words."""
    if not show_control or choices.style:
        return choices
    return replace(choices, prompt=choices.prompt or "structure")


def _shown(looked: LookedPicture, channel: Output, *, with_region: bool) -> Image:
    from fresco_media.stills import mask_picture

    from fresco_cli.receiving import decoded

    picture, region = decoded(looked), looked.region
    if region is None or not with_region:
        return picture
    white = mask_picture.white_of(decoded(region))
    if not white.any():
        channel.warned("nothing is changed in this frame: the region is empty in it")
    return mask_picture.with_region(picture, white)


def _doubts(clip: Clip, settings: RestyleSettings) -> Iterator[str]:
    """What is told of a whole clip as an event of the job."""
    from fresco_engine.diffusion.few_step import idle_doubts
    from fresco_engine.diffusion.prompting.wording import wording_doubts
    from fresco_engine.doubts import edit_doubts
    from fresco_media.stills.images import limit_told, working_size

    told = limit_told(working_size(clip.info.width, clip.info.height, settings.size))
    yield from filter(None, (told,))
    if settings.sampler is not None:
        yield from idle_doubts(settings)
    yield from edit_doubts(settings)
    yield from wording_doubts(settings.texts)


@dataclass(frozen=True)
class _LookRequest:
    path: Path
    clip: Clip
    index: int
    frame_rate: str | None
    choices: LookChoices
    model: ModelOptions
    daemon: DaemonOptions
    shows_control: bool


def _session(
    tools: Tools, wanted: _LookRequest, channel: Output, *, in_process: bool
) -> SessionLike:
    from fresco_server.local.session import LocalSession

    if in_process:
        hangup.cancels_work()
        return LocalSession(tools.engine, opened={wanted.path.absolute(): wanted.clip})
    with or_locally():
        return tools.session(wanted.daemon, channel)


def _made(session: SessionLike, wanted: _LookRequest, channel: Output) -> LookedPicture:
    from fresco_client import DataLost, LookedPicture, PictureOptions

    from fresco_cli.running import clip_source, with_reference
    from fresco_cli.wire import device_of, model_of, settings_of

    info = wanted.clip.info
    source = clip_source(session, wanted.daemon, wanted.path, info, wanted.frame_rate, channel)
    settings = with_reference(session, wanted.daemon, settings_of(wanted.choices), channel)
    with session.look(
        source,
        wanted.index,
        settings,
        model=model_of(wanted.model),
        options=PictureOptions(encoding="png"),
        device=device_of(wanted.model.device),
        shows_control=wanted.shows_control,
    ) as steps:
        for step in steps:
            if isinstance(step, LookedPicture):
                return step
    raise DataLost("The look ended without a picture. Try again.")
