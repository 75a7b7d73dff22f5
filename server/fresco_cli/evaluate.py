"""`fresco evaluate`: how steady, sharp and faithful results are beside their source."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import reduce
from operator import or_
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fresco_cli import destinations, options
from fresco_cli.daemons import Tools
from fresco_cli.evaluation_table import table_of
from fresco_cli.grouping import grouped
from fresco_cli.inputs import clip_inputs, mask_inputs
from fresco_cli.options import ReportingOptions
from fresco_cli.outcome import told
from fresco_cli.output import Output, make_output, write_error, write_json, write_text
from fresco_cli.parsing import (
    given_place,
    parse_frame_rate,
    parse_keyframes,
    parse_range,
    place,
    source_place,
)
from fresco_cli.remedies import in_flags

if TYPE_CHECKING:
    from fresco_engine.evaluation.clips import ComparedClips
    from fresco_engine.evaluation.evaluate import Evaluation, Measuring
    from fresco_engine.evaluation.flicker import KeyframePlan
    from fresco_engine.evaluation.sheet import Region
    from fresco_media.writing.originals import Originals

_HELD_AGAINST = "Held against"
_SCORES = "Networks"


@dataclass(frozen=True, kw_only=True)
class ComparisonOptions:
    """What results are held against."""

    source: Annotated[
        Path,
        typer.Option(
            metavar="CLIP",
            help="The clip they were made of.",
            rich_help_panel=_HELD_AGAINST,
            parser=source_place,
        ),
    ]
    frame_range: Annotated[
        str | None,
        typer.Option(
            "--range",
            metavar="A:B",
            help="The frames of the source that the results show.",
            rich_help_panel=_HELD_AGAINST,
        ),
    ] = None
    frame_by_frame: Annotated[
        Path | None,
        typer.Option(
            metavar="RESULT",
            help="The same look made frame by frame: sharpness is held against it.",
            rich_help_panel=_HELD_AGAINST,
            parser=source_place,
        ),
    ] = None
    mask: Annotated[
        Path | None,
        typer.Option(
            metavar="CLIP",
            help="White where the subject is: a clip, or one picture for all frames.",
            rich_help_panel=_HELD_AGAINST,
            parser=source_place,
        ),
    ] = None
    keyframes: Annotated[
        str | None,
        typer.Option(
            metavar="N,N,...|PLACE",
            help="Keyframes of the results: numbers, a report, a checkpoint or a folder of "
            "saved keyframes.",
            rich_help_panel=_HELD_AGAINST,
        ),
    ] = None
    frame_rate: options.FrameRate = None


@dataclass(frozen=True, kw_only=True)
class ScoreOptions:
    """Networks that some figures need, and words for them."""

    prompt: Annotated[
        str | None,
        typer.Option(
            "--prompt", "-p", metavar="TEXT", help="What it looks like.", rich_help_panel=_SCORES
        ),
    ] = None
    source_prompt: Annotated[
        str | None,
        typer.Option(metavar="TEXT", help="What the source looks like.", rich_help_panel=_SCORES),
    ] = None
    clip: Annotated[
        Path | None,
        typer.Option(
            "--clip",
            metavar="DIR",
            help="A CLIP model, for Fram-Acc and Tem-Con; default: the hub's cache.",
            rich_help_panel=_SCORES,
            parser=source_place,
        ),
    ] = None
    vgg: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Weights of VGG-16 or VGG-19, for Spat-Con; default: PyTorch's cache.",
            rich_help_panel=_SCORES,
            parser=source_place,
        ),
    ] = None


@grouped
def evaluate(
    context: typer.Context,
    results: Annotated[
        list[Path],
        typer.Argument(
            parser=given_place,
            metavar="RESULT...",
            help="Restyled clips.",
            show_default=False,
        ),
    ],
    against: ComparisonOptions,
    networks: ScoreOptions,
    reporting: ReportingOptions,
    size: Annotated[
        int, typer.Option(metavar="N", min=64, help="Short side in pixels to measure at.")
    ] = 512,
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png", help="Save crops of what moves, side by side.", parser=place
        ),
    ] = None,
    overwrite: options.Overwrite = False,
) -> None:
    """Measure results beside their source: steadiness, sharpness, likeness."""
    tools: Tools = context.obj
    channel = make_output(as_json=reporting.as_json, quiet=reporting.quiet)
    with told(channel, debug=reporting.debug):
        if sheet is not None:
            destinations.check_picture(sheet, overwrite=overwrite)
        compared = _compared(tools, results, against, size)
        originals = _originals(compared)
        if sheet is not None:
            originals.check(sheet)
        for text in () if reporting.quiet else _warnings(compared):
            write_error(f"Warning: {in_flags(text)}")
        plan = _keyframes(against.keyframes, results, compared)
        reference = None if against.frame_by_frame is None else list(compared.results)[-1]
        measuring = _measuring(compared, plan, reference, networks)
        evaluations, regions = _measured(compared, measuring, channel)
        notes = _notes(measuring, networks)
        if sheet is not None:
            originals.check(sheet)
            notes += _draw(compared, regions, sheet, is_new=not overwrite)
        channel.close()
        if reporting.as_json:
            write_json(_as_json(compared, evaluations, notes), indent=2)
        else:
            write_text("\n".join((table_of(evaluations), "", *notes)))


def _compared(
    tools: Tools, results: Sequence[Path], against: ComparisonOptions, size: int
) -> ComparedClips:
    """The clips, each opened and checked."""
    from fresco_engine.evaluation.clips import ComparedClips, unique_names

    rate = parse_frame_rate(against.frame_rate)
    start, stop = parse_range(against.frame_range)
    shown = [*results, *filter(None, (against.frame_by_frame,))]
    names = unique_names([place.stem or str(place) for place in shown])
    return ComparedClips.checked(
        tools.engine.open_clip(against.source, rate),
        {
            name: tools.engine.open_clip(place, rate)
            for name, place in zip(names, shown, strict=True)
        },
        short_side=size,
        start=start,
        stop=stop,
        mask=None if against.mask is None else tools.engine.open_clip(against.mask, rate),
    )


def _originals(compared: ComparedClips) -> Originals:
    """All that is read, which the sheet must not replace."""
    clips = (compared.source, *compared.results.values())
    found = reduce(or_, (clip_inputs(clip.info) for clip in clips))
    return found if compared.mask is None else found | mask_inputs(compared.mask.info)


def _warnings(compared: ComparedClips) -> Sequence[str]:
    clips = (compared.source, *compared.results.values())
    return list(dict.fromkeys(text for clip in clips for text in clip.warnings))


def _keyframes(
    given: str | None, results: Sequence[Path], compared: ComparedClips
) -> KeyframePlan | None:
    """Those that were named, else those of the first result that lies in its run's checkpoint."""
    from fresco_engine.errors import InvalidSettings
    from fresco_engine.evaluation.flicker import KeyframePlan
    from fresco_engine.evaluation.planned_keyframes import kept_keyframes, read_keyframes

    if given is None:
        return next(filter(None, map(kept_keyframes, results)), None)
    if Path(given).exists():
        return read_keyframes(Path(given), compared.source.first_number)
    numbers = parse_keyframes(given if "," in given else f"{given},").get("keyframes", ())
    first, last = compared.start, compared.stop - 1
    for number in numbers:
        if not first <= number <= last:
            raise InvalidSettings(
                "keyframes", f"{number} is not among the frames compared, {first} to {last}"
            )
    return KeyframePlan(frozenset(numbers))


def _measuring(
    compared: ComparedClips,
    plan: KeyframePlan | None,
    reference: str | None,
    networks: ScoreOptions,
) -> Measuring:
    from fresco_engine.correspondence.flow import DisFlow
    from fresco_engine.evaluation.clip_scores import ClipEncoder, ClipScores, cached_clip
    from fresco_engine.evaluation.evaluate import Measuring
    from fresco_engine.evaluation.structure import FIXED_FEATURES
    from fresco_engine.evaluation.vgg import VggFeatures, cached_vgg

    clip, vgg = networks.clip or cached_clip(), networks.vgg or cached_vgg()
    encoder = None if clip is None else ClipEncoder.load(clip)
    return Measuring(
        estimator=DisFlow(),
        shot_starts=compared.shot_starts(),
        keyframes=plan,
        reference=reference,
        features=FIXED_FEATURES if vgg is None else VggFeatures.load(vgg),
        scores=encoder and ClipScores.of(encoder, networks.prompt, networks.source_prompt),
    )


def _measured(
    compared: ComparedClips, measuring: Measuring, channel: Output
) -> tuple[list[Evaluation], list[Region]]:
    """The figures, and where the source moves most."""
    from fresco_engine.evaluation.evaluate import evaluate as measure
    from fresco_engine.evaluation.sheet import MovingRegions

    regions, total = MovingRegions(), compared.stop - compared.start
    with closing(compared.moments()) as moments:
        steps = measure(moments, measuring)
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                return end.value, regions.chosen()
            regions.add(step)
            channel.frames("measuring", step.moment.index - compared.start + 1, total)


def _draw(
    compared: ComparedClips, regions: Sequence[Region], sheet: Path, *, is_new: bool
) -> list[str]:
    """Writes the sheet; returns what there is to say of it."""
    from fresco_engine.evaluation.sheet import draw_sheet
    from fresco_media.stills.images import write_image

    picture = draw_sheet(regions, compared.moments)
    if picture is None:
        return ["Nothing moves long enough to be shown, so no sheet is written."]
    write_image(sheet, picture, is_new=is_new)
    return [f"{sheet}: crops of what moves"]


def _notes(measuring: Measuring, networks: ScoreOptions) -> list[str]:
    """What has to be known of the figures, and which are left out."""
    notes = [f"Spat-Con is measured by {measuring.features.name}."]
    if measuring.keyframes is None:
        notes.append(
            "Flicker at keyframes is left out, as it is not known which frames are keyframes; "
            "--keyframes says it."
        )
    if measuring.scores is None:
        notes.append(
            "Fram-Acc and Tem-Con are left out, as no CLIP model is at hand; --clip names one."
        )
    elif networks.prompt is None or networks.source_prompt is None:
        notes.append("Fram-Acc is left out, as it needs both --prompt and --source-prompt.")
    return notes


def _as_json(
    compared: ComparedClips, evaluations: Sequence[Evaluation], notes: Sequence[str]
) -> dict[str, Any]:
    source, *results = (one.as_dict() for one in evaluations)
    return {
        "source": {"path": str(compared.source.info.path), **source},
        "results": [
            {"path": str(clip.info.path), **figures}
            for clip, figures in zip(compared.results.values(), results, strict=True)
        ],
        "start": compared.start,
        "stop": compared.stop,
        "size": compared.size,
        "notes": notes,
    }
