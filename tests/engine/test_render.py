"""From clip to file: what is written, what is reported, and that nothing half-written stays."""

import errno
import json
import os
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fresco_engine.checkpoint import CheckpointReader, FolderCheckpoint, Kind, fork
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import ClipChanged, DiskFull, OutputExists, OutputNotWritable
from fresco_engine.rendering import render
from fresco_engine.report_file import save_report
from fresco_engine.settings import (
    OptimisationSettings,
    RestyleSettings,
    resolve,
    settings_from_dict,
)
from fresco_engine.types import (
    Event,
    FrameMade,
    FrameQuality,
    KeyframeMade,
    Report,
    RunFinished,
    RunWarned,
    Stage,
)
from fresco_media.clip import Clip
from fresco_media.painted.keys import find_painted_keys
from fresco_media.stills.images import read_image, write_image
from fresco_media.stills.numbered_folder import numbered_pictures
from fresco_media.types import Image

from tests.engine.conftest import MakeClip, scene, with_hole, write_clip
from tests.engine.runs import JOBS, CountingLoader, contents, taken
from tests.media.hearing import Track, write_sounding

SETTINGS = RestyleSettings(
    prompt="blue",
    size=64,
    keyframe_min=2,
    keyframe_max=4,
    optimisation=OptimisationSettings(iterations=1),
)


def report_of(events: list[Event]) -> Report:
    finished = events[-1]
    assert isinstance(finished, RunFinished)
    return finished.report


def test_what_becomes_of_the_sound_is_told_before_the_work(
    tiny_model: Model, tmp_path: Path
) -> None:
    track = Track(codec="pcm_s16le", seconds=0.2)
    clip = Clip.open(write_sounding(tmp_path / "a.mov", track, seconds=0.2, size=(80, 64)))

    events = list(render(clip, tmp_path / "out.mp4", SETTINGS, tiny_model))

    told = [event.message for event in events if isinstance(event, RunWarned)]
    assert isinstance(events[0], RunWarned)
    assert [text for text in told if "encoded anew as AAC" in text] == [events[0].message]
    assert events[0].message in report_of(events).warnings


def test_a_clip_becomes_a_file_with_as_many_frames_at_the_same_rate(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(7)

    events = list(render(clip, tmp_path / "out.mp4", SETTINGS, tiny_model))

    result = Clip.open(tmp_path / "out.mp4")
    assert result.info.frame_count == 7
    assert result.info.frame_rate == clip.info.frame_rate
    assert (result.info.width, result.info.height) == (80, 64)
    assert isinstance(events[-1], RunFinished)


def test_a_lossless_file_holds_exactly_the_frames_of_the_events(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    events = list(
        render(make_clip(5), tmp_path / "out.mkv", SETTINGS, tiny_model, codec="lossless")
    )

    shown = [event.frame.image for event in events if isinstance(event, FrameMade)]
    stored = [frame.image for frame in Clip.open(tmp_path / "out.mkv").frames()]
    assert all(np.array_equal(a, b) for a, b in zip(shown, stored, strict=True))


def test_how_opaque_a_clip_is_lies_beside_each_picture_that_is_announced(
    tiny_model: Model, tmp_path: Path
) -> None:
    path = write_clip(tmp_path / "clip.mov", with_hole(scene(7), until=5))
    clip, checkpoint = Clip.open(path), FolderCheckpoint(tmp_path / "kept")
    settings = replace(SETTINGS, keyframes=(0, 4, 6))

    seen: dict[tuple[str, int], bool] = {}
    for event in render(clip, None, settings, tiny_model, checkpoint=checkpoint):
        if isinstance(event, KeyframeMade):
            seen["keyframe", event.index] = checkpoint.matte(event.index) is not None
        elif isinstance(event, FrameMade):
            seen["frame", event.frame.index] = checkpoint.matte(event.frame.index) is not None
    kept = {index: checkpoint.matte(index) for index in range(7)}
    fork(checkpoint.folder, tmp_path / "again", [4])

    assert seen == {
        **{("keyframe", index): index < 5 for index in (0, 4, 6)},
        **{("frame", index): index < 5 for index in range(7)},
    }
    for index, matte in enumerate(clip.mattes()):
        beside = kept[index]
        assert (matte == (255 if beside is None else beside)).all()
    assert CheckpointReader(tmp_path / "again").indices("mattes") == tuple(range(5))


def test_the_report_is_enough_to_do_it_again(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(6)
    report = report_of(
        list(render(clip, tmp_path / "out.mkv", SETTINGS, tiny_model, codec="lossless"))
    )
    save_report(report, tmp_path / "report.json")

    stored = json.loads((tmp_path / "report.json").read_text("utf-8"))
    settings = settings_from_dict(stored["settings"])
    again = report_of(
        list(render(clip, tmp_path / "again.mkv", settings, tiny_model, codec="lossless"))
    )

    assert settings == resolve(SETTINGS, tiny_model.defaults)
    assert again.metrics == report.metrics
    assert stored["keyframes"] == list(again.keyframes)


def test_the_report_says_what_it_cost_and_how_steady_the_result_is(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    report = report_of(list(render(make_clip(6), tmp_path / "out.mp4", SETTINGS, tiny_model)))

    assert set(report.seconds) == {stage.value for stage in Stage}
    assert report.peak_memory_bytes > 100e6
    assert report.metrics["pixel_mse"] > 0
    assert report.metrics["pixel_mse_of_source"] > 0
    assert report.model == "tiny"
    assert report.clip["frame_rate"] == "24"


def test_keyframes_are_saved_under_their_frame_number(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    folder = tmp_path / "keys"

    events = list(
        render(make_clip(6), tmp_path / "out.mp4", SETTINGS, tiny_model, save_keyframes=folder)
    )

    ready = {e.index: e.image for e in events if isinstance(e, KeyframeMade)}
    assert sorted(path.name for path in folder.iterdir()) == [f"{i:06d}.png" for i in sorted(ready)]
    assert np.array_equal(read_image(folder / "000000.png"), ready[0])


@pytest.mark.parametrize("first", [3, -2])
def test_keyframes_of_a_sequence_are_saved_as_keys_of_it_are_named(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path, first: int
) -> None:
    shot, folder = tmp_path / "shot", tmp_path / "keys"
    shot.mkdir()
    for frame in make_clip(6).frames():
        number = first + frame.index
        name = f"{'-' if number < 0 else ''}{abs(number):04d}"
        write_image(shot / f"s_{name}.png", frame.image)
    clip = Clip.open(shot)

    events = list(render(clip, tmp_path / "out.mp4", SETTINGS, tiny_model, save_keyframes=folder))

    made = {event.index for event in events if isinstance(event, KeyframeMade)}
    assert clip.first_number == first
    assert {number - first for number in map(int, (file.stem for file in folder.iterdir()))} == made
    assert set(find_painted_keys(folder, clip, 0, 6, first_number=first).files) == made
    assert len(numbered_pictures(folder)) == len(made)


def test_a_report_that_finds_the_disk_full_leaves_the_old_one_whole(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = report_of(list(render(make_clip(1), tmp_path / "out.mp4", SETTINGS, tiny_model)))
    place = tmp_path / "reports"
    place.mkdir()
    (place / "r.json").write_text("old", encoding="utf-8")

    def replace_on_full_disk(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", replace_on_full_disk)
    with pytest.raises(DiskFull, match="free some room"):
        save_report(report, place / "r.json")

    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in place.iterdir()} == {"r.json": b"old"}


def test_an_output_that_exists_is_refused_before_any_work(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    (tmp_path / "out.mp4").write_bytes(b"precious")

    with pytest.raises(OutputExists):
        next(render(make_clip(3), tmp_path / "out.mp4", SETTINGS, tiny_model))

    assert (tmp_path / "out.mp4").read_bytes() == b"precious"


def test_a_keyframe_folder_that_is_a_file_is_refused_before_any_work(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_bytes(b"")

    events = render(
        make_clip(3), tmp_path / "out.mp4", SETTINGS, tiny_model, save_keyframes=tmp_path / "keys"
    )

    with pytest.raises(OutputNotWritable, match="name a folder"):
        next(events)


@pytest.mark.parametrize("job", JOBS)
def test_cancelling_leaves_no_half_written_file(
    job: str, make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    target = tmp_path / "results"
    target.mkdir()
    events = render(make_clip(14), target / "out.mp4", JOBS[job], tiny_model)
    for event in events:
        if isinstance(event, FrameMade):
            break

    events.close()  # pyright: ignore[reportAttributeAccessIssue]

    assert list(target.iterdir()) == []


def test_a_render_that_goes_on_writes_the_same_bytes(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(14)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()

    def run(name: str, suffix: str) -> Generator[Event, None, None]:
        checkpoint = FolderCheckpoint(tmp_path / f"{name} {suffix}")
        output = tmp_path / name / f"out{suffix}"
        return render(clip, output, SETTINGS, tiny_model, checkpoint=checkpoint)

    for suffix in (".mp4", ".mov", ".mkv"):
        list(run("whole", suffix))
        for count in (25, 40, 50):
            taken(run("parts", suffix), count)
        events = list(run("parts", suffix))
        assert report_of(events).reused["keyframes"] > 0

    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_the_report_counts_what_was_reused(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip, kept = make_clip(8), tmp_path / "kept"

    first, second = (
        report_of(
            list(
                render(
                    clip,
                    tmp_path / f"{i}.mkv",
                    SETTINGS,
                    tiny_model,
                    checkpoint=FolderCheckpoint(kept),
                )
            )
        )
        for i in range(2)
    )

    assert first.reused == {"keyframes": 0, "frames": 0}
    assert second.reused == {"keyframes": len(first.keyframes), "frames": 8}
    assert {"guide_error", "drift", "largest_drift"} <= first.metrics.keys()
    assert second.metrics == first.metrics
    assert second.interpolation == first.interpolation
    assert (second.model, second.device) == (first.model, first.device)


def test_a_run_whose_keyframes_are_all_translated_loads_no_model(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip, kept = make_clip(8), tmp_path / "kept"
    settings = replace(SETTINGS, batch_size=8)
    for event in render(
        clip, tmp_path / "a.mkv", settings, tiny_model, checkpoint=FolderCheckpoint(kept)
    ):
        if isinstance(event, FrameMade):
            break
    loader = CountingLoader(tiny_model)

    reader = CheckpointReader(kept)
    plan = reader.plan()
    assert plan is not None
    assert reader.indices("keyframes") == plan.keyframes
    report = report_of(
        list(render(clip, tmp_path / "a.mkv", settings, loader, checkpoint=FolderCheckpoint(kept)))
    )

    assert loader.calls == 0
    assert report.model == "tiny"
    assert report.device == "cpu"


@pytest.mark.parametrize("output", ["out.mkv", "frame_%03d.png", "pictures"])
def test_what_a_killed_run_left_beside_the_output_is_removed(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path, output: str
) -> None:
    clip, place = make_clip(5), tmp_path / "place"
    place.mkdir()
    codec = "images" if output == "pictures" else None
    name = None

    def run() -> Generator[Event, None, None]:
        checkpoint = FolderCheckpoint(tmp_path / "kept")
        return render(
            clip, place / output, SETTINGS, tiny_model, codec=codec, checkpoint=checkpoint
        )

    for event in run():
        if isinstance(event, FrameMade):
            (name,) = [path.name for path in place.iterdir()]
            break
    assert name is not None
    if output == "out.mkv":
        (place / name).write_bytes(b"torn")
    else:
        (place / name).mkdir()
        (place / name / "frame_099.png").write_bytes(b"torn")
    list(run())

    assert not [path.name for path in place.rglob("*") if "partial" in path.name]
    assert not list(place.rglob("frame_099.png"))


@pytest.mark.parametrize("output", ["out.mkv", "frame_%03d.png"])
def test_a_run_killed_when_the_output_just_got_its_name_can_go_on(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path, output: str
) -> None:
    clip, place = make_clip(3), tmp_path / "place"
    place.mkdir()

    def run() -> list[Event]:
        checkpoint = FolderCheckpoint(tmp_path / "kept")
        return list(render(clip, place / output, SETTINGS, tiny_model, checkpoint=checkpoint))

    run()
    before = contents(place)
    run()

    assert contents(place) == before


def test_an_output_that_is_not_the_jobs_own_stays(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(3)
    (tmp_path / "out.mkv").write_bytes(b"precious")
    checkpoint = FolderCheckpoint(tmp_path / "kept")
    checkpoint.save_delivery({"output": str((tmp_path / "out.mkv").resolve()), "bytes": 4711})

    with pytest.raises(OutputExists):
        next(render(clip, tmp_path / "out.mkv", SETTINGS, tiny_model, checkpoint=checkpoint))

    assert (tmp_path / "out.mkv").read_bytes() == b"precious"


def test_an_error_ends_the_work_beside_it_at_once(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    class FullCheckpoint(FolderCheckpoint):
        def save(
            self, kind: Kind, index: int, image: Image, quality: FrameQuality | None = None
        ) -> None:
            if kind == "frames":
                raise DiskFull(self.folder, 0)
            super().save(kind, index, image, quality)

    events = render(
        make_clip(8),
        tmp_path / "out.mkv",
        SETTINGS,
        tiny_model,
        checkpoint=FullCheckpoint(tmp_path / "kept"),
    )

    with pytest.raises(DiskFull, match="free some room"):
        list(events)

    assert not any(thread.name == "fresco-pipeline-stage" for thread in threading.enumerate())
    assert [path.name for path in tmp_path.iterdir() if "partial" in path.name] == []


def test_without_an_output_frames_are_only_kept(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    checkpoint = FolderCheckpoint(tmp_path / "kept")

    report = report_of(
        list(render(make_clip(5), None, SETTINGS, tiny_model, checkpoint=checkpoint))
    )

    assert checkpoint.indices("frames") == tuple(range(5))
    assert report.outputs == {}
    assert not any("pixel_mse" in key for key in report.metrics)
    assert "encoding" not in report.seconds


def test_the_report_judges_every_frame_between_keyframes(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip = make_clip(22)

    events = list(render(clip, tmp_path / "out.mp4", SETTINGS, tiny_model))

    report = report_of(events)
    between = set(range(22)) - set(report.keyframes)
    assert set(report.interpolation["frames"]) == {str(index) for index in between}
    figures = report.interpolation["frames"][str(min(between))]
    assert 0 <= figures["error"] <= figures["worst_error"] <= 1
    assert report.interpolation["suggested_keyframe"]["index"] in between
    assert report.metrics["guide_error"] > 0
    assert report.metrics["drift"] <= report.metrics["largest_drift"]


def test_a_clip_that_changes_before_its_sound_is_read_leaves_no_result(
    make_clip: MakeClip, tiny_model: Model, tmp_path: Path
) -> None:
    clip, output = make_clip(3), tmp_path / "out.mp4"
    events = render(clip, output, SETTINGS, tiny_model)
    next(event for event in events if isinstance(event, FrameMade) and event.frame.index == 2)
    path = clip.info.path
    path.write_bytes(path.read_bytes()[::-1])

    with pytest.raises(ClipChanged):
        list(events)

    assert not output.exists()
