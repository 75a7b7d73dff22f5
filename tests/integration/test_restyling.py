"""A real daemon with the real engine: from a client's request to the file in its hands."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from fresco_client import (
    ClipSource,
    Finished,
    FrameReady,
    KeyframeReady,
    ModelChoice,
    OptimisationSettings,
    OutputOptions,
    Picture,
    PictureOptions,
    ProgressMade,
    RestyleSettings,
    SmoothingSettings,
    Stage,
)
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_media.stills.png import decode_png

from tests.integration.conftest import StartDaemon

STEPS = 20
SETTINGS = RestyleSettings(
    prompt="a watercolour painting",
    size=64,
    steps=STEPS,
    strength=1.0,
    batch_size=3,
    keyframe_min=3,
    keyframe_max=6,
)


def test_streamed_frames_equal_those_of_the_file_and_arrive_while_later_ones_are_made(
    start_daemon: StartDaemon, clip: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    daemon = start_daemon()
    result = tmp_path / "result.mp4"

    with daemon.session() as session:
        job = session.submit(
            ClipSource(path=str(clip)),
            SETTINGS,
            model=ModelChoice(source=str(tiny_model_folder)),
            output=OutputOptions(kind="lossless"),
        )
        events = list(session.watch(job.id, pictures=PictureOptions(encoding="png")))
        session.fetch_result(job.id, result)
        ended = session.job(job.id)

    assert isinstance(events[-1], Finished)
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    streamed = [event for event in events if isinstance(event, FrameReady)]
    assert [event.index for event in streamed] == list(range(40))
    written = [frame.image for frame in Clip.open(result).frames(0, 40)]
    for event, image in zip(streamed, written, strict=True):
        assert event.picture is not None
        np.testing.assert_array_equal(_pixels(event.picture), image)
    keyframes = [event for event in events if isinstance(event, KeyframeReady)]
    later_steps = [e for e in events if isinstance(e, ProgressMade) and _is_after(e, STEPS)]
    assert keyframes[0].sequence < later_steps[0].sequence
    between = [event for event in streamed if not event.is_keyframe]
    assert between[0].sequence < keyframes[-1].sequence
    assert ended.result is not None
    assert ended.result.is_fetched


def test_a_mask_that_was_sent_says_where_the_subject_is(
    start_daemon: StartDaemon, clip: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    mask = tmp_path / "mask.png"
    write_image(mask, np.full((128, 160, 3), 255, np.uint8))
    daemon = start_daemon()
    short = replace(SETTINGS, stop=4, steps=8, optimisation=OptimisationSettings(iterations=1))

    with daemon.session() as session:

        def keyframes(settings: RestyleSettings) -> tuple[np.ndarray, dict[str, Any]]:
            job = session.submit(
                ClipSource(path=str(clip)),
                settings,
                model=ModelChoice(source=str(tiny_model_folder)),
                output=OutputOptions(kind="frames"),
            )
            events = list(session.watch(job.id, pictures=PictureOptions(encoding="png")))
            assert isinstance(events[-1], Finished), events[-1]
            pictures = [event.picture for event in events if isinstance(event, KeyframeReady)]
            report = json.loads(events[-1].result.report_json)
            pixels = [_pixels(one).astype(int) for one in pictures if one is not None]
            return np.stack(pixels), report

        sent = session.upload(mask).as_setting
        smoothed, _ = keyframes(short)
        masked, report = keyframes(replace(short, subject_mask=sent))
        unsmoothed, _ = keyframes(replace(short, smoothing=SmoothingSettings(is_on=False)))

    # The smoothed step is one of rounding errors where nothing is carried.
    assert np.abs(masked - unsmoothed).max() <= 1 < np.abs(masked - smoothed).max()
    assert report["settings"]["subject_mask"].endswith(f"{sent.removeprefix('upload:')}.png")


def test_edits_of_a_region_share_what_they_find_and_leave_the_rest_as_it_is(
    start_daemon: StartDaemon, clip: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    drawn = np.zeros((128, 160, 3), np.uint8)
    drawn[:, :80] = 255
    write_image(tmp_path / "mask.png", drawn)
    daemon = start_daemon()
    edit = replace(
        SETTINGS,
        mode="edit",
        source_prompt="of",
        region="subject",
        stop=5,
        steps=4,
        optimisation=OptimisationSettings(iterations=1),
    )

    with daemon.session() as session:
        edit = replace(edit, subject_mask=session.upload(tmp_path / "mask.png").as_setting)
        for words in ("a watercolour painting", "blue"):
            job = session.submit(
                ClipSource(path=str(clip)),
                replace(edit, prompt=words),
                model=ModelChoice(source=str(tiny_model_folder)),
                output=OutputOptions(kind="lossless"),
            )
            events = list(session.watch(job.id, pictures=PictureOptions(encoding="png")))
            assert isinstance(events[-1], Finished), events[-1]
        session.fetch_result(job.id, tmp_path / "result.mp4")

    source = [frame.image for frame in Clip.open(clip).frames(0, 5)]
    written = [frame.image for frame in Clip.open(tmp_path / "result.mp4").frames(0, 5)]
    streamed = [event.picture for event in events if isinstance(event, FrameReady)]
    for own, made, picture in zip(source, written, streamed, strict=True):
        assert picture is not None
        np.testing.assert_array_equal(_pixels(picture), made)
        np.testing.assert_array_equal(made[:, 80:], own[:, 80:])
        assert not np.array_equal(made[:, :80], own[:, :80])
    kept = list(daemon.data.glob("jobs/*/inversions/*.safetensors"))
    assert kept
    assert len(kept) == 2 * len({path.name for path in kept})


def _is_after(event: ProgressMade, steps: int) -> bool:
    return event.progress.stage is Stage.TRANSLATING and event.progress.done > steps


def _pixels(picture: Picture) -> np.ndarray:
    image = decode_png(picture.data)
    assert image is not None
    return image
