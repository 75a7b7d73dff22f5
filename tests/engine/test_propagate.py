"""Painted keyframes carried over a whole clip."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fresco_engine.errors import FileChanged, InvalidSettings, OutputExists, RangeOutsideClip
from fresco_engine.propagation import propagate, shots_with_keys
from fresco_engine.propagation_settings import PropagateSettings
from fresco_engine.rendering import PropagationFiles, render_propagation
from fresco_engine.types import ClipAnalysed, FrameMade, KeyframeMade, RunFinished, RunWarned
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image

from tests.engine.conftest import MakeClip, scene
from tests.media.hearing import Track, write_sounding

FLOW = PropagateSettings(interpolation="flow")


def paint(clip: Clip, folder: Path, *indices: int) -> Path:
    """The frames' negatives, as someone might have painted them."""
    folder.mkdir(exist_ok=True)
    for frame in clip.frames_at(indices):
        write_image(folder / f"key {frame.index:03d}.png", 255 - frame.image)
    return folder


def worked(clip: Clip, folder: Path, settings: PropagateSettings = FLOW) -> list[Any]:
    return list(propagate(clip, folder, settings))


def images(events: list[Any]) -> dict[int, np.ndarray]:
    return {e.frame.index: e.frame.image for e in events if isinstance(e, FrameMade)}


def error(image: np.ndarray, clip: Clip, index: int) -> float:
    truth = 255 - next(clip.frames_at([index])).image.astype(int)
    return float(np.abs(image - truth).mean())


def test_the_plan_holds_the_settings_that_were_given(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(4)

    events = worked(clip, paint(clip, tmp_path / "keys", 0))

    assert next(e for e in events if isinstance(e, ClipAnalysed)).settings == FLOW


@pytest.mark.parametrize("kind", ["patch", "flow"])
def test_every_frame_comes_once_in_order_in_the_painted_look(
    make_clip: MakeClip, tmp_path: Path, kind: Any
) -> None:
    clip = make_clip(14)
    folder = paint(clip, tmp_path / "keys", 3, 9)

    events = worked(clip, folder, PropagateSettings(interpolation=kind))

    made = images(events)
    assert list(made) == list(range(14))
    between = [e for e in events if isinstance(e, FrameMade) and not e.is_keyframe]
    assert {e.frame.index for e in between} == set(range(14)) - {3, 9}
    assert all(e.quality is not None and e.error is None for e in between)
    assert max(error(made[index], clip, index) for index in range(14)) < 12


def test_painted_frames_come_out_exactly_as_painted(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(8)
    folder = paint(clip, tmp_path / "keys", 0, 5)

    events = worked(clip, folder, PropagateSettings(interpolation="flow", size=64))

    ready = [e for e in events if isinstance(e, KeyframeMade)]
    keys = [e.frame for e in events if isinstance(e, FrameMade) and e.is_keyframe]
    assert [e.index for e in ready] == [frame.index for frame in keys] == [0, 5]
    for frame in keys:
        assert error(frame.image, clip, frame.index) == 0


@pytest.mark.parametrize("is_damaged", [False, True])
@pytest.mark.parametrize("size", [None, 64])
@pytest.mark.parametrize("moment", [ClipAnalysed, KeyframeMade])
def test_a_key_that_is_saved_again_during_the_work_never_becomes_part_of_it(
    make_clip: MakeClip, tmp_path: Path, moment: type, size: int | None, is_damaged: bool
) -> None:
    clip = make_clip(12)
    folder = paint(clip, tmp_path / "keys", 0, 6, 11)
    events = propagate(clip, folder, PropagateSettings(interpolation="flow", size=size))
    seen = [next(events)]
    while not isinstance(seen[-1], moment):
        seen.append(next(events))

    key = folder / "key 006.png"
    write_image(key, np.full((clip.info.height, clip.info.width, 3), 200, np.uint8))
    if is_damaged:  # As a paint program leaves it for a moment.
        key.write_bytes(key.read_bytes()[:60])

    with pytest.raises(FileChanged, match=r"key 006\.png: it was replaced"):
        seen.extend(events)
    assert 6 not in images(seen)


def test_a_key_that_is_copied_back_meanwhile_is_the_same(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(12)
    folder = paint(clip, tmp_path / "keys", 0, 6)
    events = propagate(clip, folder, FLOW)
    next(event for event in events if isinstance(event, KeyframeMade))

    content = (folder / "key 006.png").read_bytes()
    (folder / "key 006.png").unlink()
    (folder / "key 006.png").write_bytes(content)

    assert 6 in images(list(events))


def test_nothing_is_carried_over_a_cut_with_keys_on_both_sides(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(16, cut_at=8)
    folder = paint(clip, tmp_path / "keys", 2, 13)
    red = np.zeros((clip.info.height, clip.info.width, 3), np.uint8)
    red[..., 0] = 255
    write_image(folder / "key 002.png", red)

    events = worked(clip, folder)

    made = images(events)
    plan = next(e for e in events if isinstance(e, ClipAnalysed))
    assert plan.shots == ((0, 8), (8, 16))
    assert max(np.abs(made[index].astype(int) - red).mean() for index in range(8)) < 3
    assert max(error(made[index], clip, index) for index in range(8, 16)) < 20


def test_a_shot_without_a_key_is_carried_over_from_its_neighbour_and_told(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(16, cut_at=8)

    events = worked(clip, paint(clip, tmp_path / "keys", 2))

    assert len(images(events)) == 16
    assert any("hold no key" in e.message for e in events if isinstance(e, RunWarned))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([1, 5, 9], ((0, 4), (4, 8), (8, 12))),
        ([1, 9], ((0, 8), (8, 12))),
        ([9], ((0, 12),)),
        ([5], ((0, 12),)),
        ([1], ((0, 12),)),
    ],
)
def test_shots_without_keys_join_their_neighbours(
    keys: list[int], expected: tuple[tuple[int, int], ...]
) -> None:
    assert shots_with_keys(((0, 4), (4, 8), (8, 12)), keys) == expected


def test_a_range_holds_its_own_frames_only(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(12)
    folder = paint(clip, tmp_path / "keys", 1, 6)

    events = worked(clip, folder, PropagateSettings(interpolation="flow", start=4, stop=9))

    assert list(images(events)) == [4, 5, 6, 7, 8]
    assert any("outside the range" in e.message for e in events if isinstance(e, RunWarned))


def test_the_result_is_written_with_a_report_of_every_frame(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(10)
    folder = paint(clip, tmp_path / "keys", 0, 9)
    maps = tmp_path / "maps"
    maps.mkdir()

    events = list(
        render_propagation(
            clip,
            folder,
            tmp_path / "out.mp4",
            FLOW,
            codec="lossless",
            files=PropagationFiles(error_maps=maps),
        )
    )

    report = events[-1].report if isinstance(events[-1], RunFinished) else None
    assert report is not None
    assert set(report.interpolation["frames"]) == {str(index) for index in range(1, 9)}
    assert report.interpolation["frames"]["4"].keys() == {"error", "worst_error", "drift"}
    assert 1 <= report.interpolation["suggested_keyframe"]["index"] <= 8
    assert {"guide_error", "drift", "largest_drift"} == set(report.metrics)
    assert len(list(maps.iterdir())) == 8
    result = Clip.open(tmp_path / "out.mp4")
    assert result.info.times == clip.info.times


def test_error_maps_of_a_sequence_have_the_numbers_of_its_pictures(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    shot, maps = tmp_path / "shot", tmp_path / "maps"
    shot.mkdir()
    maps.mkdir()
    for frame in make_clip(4).frames():
        write_image(shot / f"s_{frame.index + 5:04d}.png", frame.image)
    clip = Clip.open(shot)
    folder = tmp_path / "keys"
    folder.mkdir()
    for index in (0, 3):
        picture = next(clip.frames(index, index + 1)).image
        write_image(folder / f"key_{index + 5:04d}.png", 255 - picture)
    files = PropagationFiles(error_maps=maps)

    list(render_propagation(clip, folder, tmp_path / "out.mp4", FLOW, files=files))

    assert sorted(file.name for file in maps.iterdir()) == ["000006.png", "000007.png"]


def test_stopping_leaves_nothing_half_written_and_the_next_run_goes_on(
    make_clip: MakeClip, tmp_path: Path
) -> None:
    clip = make_clip(15)
    folder = paint(clip, tmp_path / "keys", 0, 7, 14)
    kept, output = tmp_path / "kept", tmp_path / "out.mp4"
    kept.mkdir()
    files = PropagationFiles(resume=kept)
    before = set(tmp_path.iterdir())

    events = render_propagation(clip, folder, output, FLOW, codec="lossless", files=files)
    for event in events:
        if isinstance(event, FrameMade) and event.frame.index == 8:
            break
    events.close()

    assert set(tmp_path.iterdir()) == before
    done = {file.name: file.stat().st_mtime_ns for file in kept.iterdir()}
    assert len(done) >= 1
    list(render_propagation(clip, folder, output, FLOW, codec="lossless", files=files))
    plain = tmp_path / "plain.mp4"
    list(render_propagation(clip, folder, plain, FLOW, codec="lossless"))
    assert done.items() <= {file.name: file.stat().st_mtime_ns for file in kept.iterdir()}.items()
    for one, other in zip(Clip.open(output).frames(), Clip.open(plain).frames(), strict=True):
        np.testing.assert_array_equal(one.image, other.image)


def test_what_becomes_of_the_sound_is_told_before_the_work(tmp_path: Path) -> None:
    source = write_sounding(tmp_path / "a.mov", Track(codec="pcm_s16le", seconds=0.4), seconds=0.4)
    folder = paint(Clip.open(source), tmp_path / "keys", 0)

    events = list(render_propagation(Clip.open(source), folder, tmp_path / "out.mp4", FLOW))

    first = events[0]
    assert isinstance(first, RunWarned)
    assert "sound track 1 is encoded anew as AAC" in first.message
    assert [e for e in events if isinstance(e, RunWarned)].count(first) == 1


def test_an_output_that_exists_is_kept(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(6)
    output = tmp_path / "out.mp4"
    output.write_bytes(b"mine")

    with pytest.raises(OutputExists):
        list(render_propagation(clip, paint(clip, tmp_path / "keys", 0), output, FLOW))

    assert output.read_bytes() == b"mine"


def test_a_range_outside_the_clip_is_refused(make_clip: MakeClip, tmp_path: Path) -> None:
    clip = make_clip(6)

    with pytest.raises(RangeOutsideClip):
        worked(clip, paint(clip, tmp_path / "keys", 0), PropagateSettings(stop=9))


@pytest.mark.parametrize(
    "values",
    [{"size": 10}, {"interpolation": "magic"}, {"start": 4, "stop": 4}],
    ids=["size", "interpolation", "range"],
)
def test_settings_out_of_range_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings):
        PropagateSettings(**values)


def test_a_size_that_changes_is_told_before_the_frames_are_made(tmp_path: Path) -> None:
    whole = tmp_path / "whole.ts"
    with whole.open("wb") as joined:
        for part, size in enumerate(((80, 64), (64, 80))):
            piece = tmp_path / f"{part}.ts"
            pictures = scene(6, size=size)
            with av.open(str(piece), "w", format="mpegts") as output:
                stream = output.add_stream("libx264", rate=25, options={"bf": "0"})
                assert isinstance(stream, av.VideoStream)
                stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
                for index, picture in enumerate(pictures):
                    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                    frame.pts, frame.time_base = 6 * part + index, Fraction(1, 25)
                    output.mux(stream.encode(frame))
                output.mux(stream.encode(None))
            joined.write(piece.read_bytes())
    keys = tmp_path / "keys"
    keys.mkdir()
    write_image(keys / "0.png", scene(1)[0])

    events = list(propagate(Clip.open(whole), keys, PropagateSettings(interpolation="flow")))

    told = [at for at, event in enumerate(events) if isinstance(event, RunWarned)]
    first_frame = next(at for at, event in enumerate(events) if isinstance(event, FrameMade))
    assert any("changes from 80x64 to 64x80" in str(events[at]) for at in told if at < first_frame)
