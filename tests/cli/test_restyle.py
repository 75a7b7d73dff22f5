"""`fresco restyle` from the outside: files, sentences and exit codes."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from fresco_engine.errors import DiskFull, OutOfDeviceMemory
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_media.stills.numbered_folder import write_numbered
from fresco_media.stills.png import encode_png, png_note

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine
from tests.media.makers import picture_of


def test_a_restyled_clip_has_every_frame_and_is_named_on_stdout(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.mp4"

    ended = fresco("restyle", clip, "-o", output, "--prompt", "ink", "--local")

    assert ended.code == 0
    assert Clip.open(output).info.frame_count == 12
    assert ended.stdout.startswith(f"{output}: 12 frames")


def test_progress_goes_to_stderr_with_stage_and_time_left(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--local")

    assert "interpolating 50%, 6 s left" in ended.stderr
    assert "interpolating" not in ended.stdout


def test_quiet_says_nothing(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--quiet")

    assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")


def test_json_is_one_object_a_line_with_the_report_last(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json")

    lines = ended.lines
    assert [line["index"] for line in lines if line["event"] == "frame"] == list(range(12))
    assert [line["event"] for line in lines[:2]] == ["job", "analysed"]
    assert lines[-1]["event"] == "finished"
    assert lines[-1]["report"]["settings"]["prompt"] == "ink"
    assert ended.stderr == ""


def test_a_warning_is_said_once(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    engine.warnings = ("alpha is dropped", "alpha is dropped")

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--local")

    assert ended.stderr.count("Warning: alpha is dropped") == 1


@pytest.mark.parametrize(
    "name",
    ["two words", 'it\'s "quoted"', "снег und Größe 雪", "[bold]100%[bold]", "-dash"],
)
def test_any_file_name_works(fresco: Fresco, clip: Path, tmp_path: Path, name: str) -> None:
    source = Path(shutil.copy(clip, tmp_path / f"{name}.mp4"))
    output = tmp_path / f"{name} restyled.mp4"

    ended = fresco("restyle", source, "-o", output, "-p", "ink", "--local")

    assert ended.code == 0
    assert output.exists()
    assert str(output) in ended.stdout


def test_the_report_is_written(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"

    fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--report", report)

    values = json.loads(report.read_text(encoding="utf-8"))
    assert values["settings"]["prompt"] == "ink"
    assert values["keyframes"][0] == 0


def test_model_options_reach_the_engine(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    options = ("--model", "some/where", "--control", "canny", "--control-model", "c", "--device")

    fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", *options, "cpu"),
        *("--lora", "a.safetensors:0.5", "--lora", "b.safetensors", "--local"),
    )

    assert engine.loaded == [
        {
            "source": "some/where",
            "control": "canny",
            "control_source": "c",
            "loras": (
                (Path("a.safetensors").absolute(), 0.5),
                (Path("b.safetensors").absolute(), 1.0),
            ),
            "device": "cpu",
            "vae": None,
            "folders": (),
        }
    ]


def test_a_range_restyles_only_its_frames(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"

    ended = fresco("restyle", clip, "-o", output, "-p", "ink", "--range", "2:8")

    assert Clip.open(output).info.frame_count == 6
    assert ": 6 frames" in ended.stdout


def test_lossless_keeps_every_value(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mkv"

    fresco("restyle", clip, "-o", output, "-p", "ink", "--lossless")

    before = next(Clip.open(clip).frames()).image
    after = next(Clip.open(output).frames()).image
    assert (after == 255 - before).all()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--prompt", "  "), "prompt: it is empty; say how the clip should look"),
        (("--steps", "0"), "steps: 0 is outside 1 to 1000"),
        (("--strength", "0"), "strength: 0.0 is outside 0 (excluded) to 1"),
        (("--strength", "1.5"), "strength: 1.5 is outside"),
        (("--guidance", "99"), "guidance: 99.0 is outside 0 to 50"),
        (("--size", "32"), "size: 32 is outside 64 to 2048"),
        (("--size", "9000"), "size: 9000 is outside 64 to 2048"),
        (("--batch", "0"), "batch: 0 is outside 1 to 64"),
        (("--batch", "2"), "batch: 2 leaves no room beside the two anchor frames"),
        (("--keyframes", "ten"), "keyframes: 'ten' is neither of the form MIN:MAX"),
        (("--keyframes", "0"), "nor N,N,..., as 0,24,48; for frame 0 alone write 0,"),
        (("--keyframes", "9:3"), "keyframes: gaps of 9 to 3 frames cannot always be met"),
        (("--range", "7"), "range: '7' is not of the form A:B"),
        (("--range", "8:2"), "range: 8:2 holds no frame"),
        (("--range", "4:400"), "the clip has frames 0 to 11; choose a range inside it"),
        (("--preset", "fast"), "preset: 'fast' is unknown; use one of draft, standard, best"),
        (("--control", "pose"), "control: 'pose' is unknown; use one of tile, canny"),
        (("--control-scale", "-1"), "control-scale: -1.0 is outside 0 to 5"),
        (("--keep-colours", "2"), "keep-colours: 2.0 is outside 0 to 1"),
        (("--seed", "-1"), "seed: -1 is outside"),
        (("--frame-rate", "0"), "frame-rate: '0' is no positive number"),
        (("--frame-prompt", "x"), "frame-prompt: 'x' is not of the form N=TEXT"),
        (("--report", "nowhere/r.json"), "the folder nowhere does not exist; create it"),
    ],
)
def test_a_wrong_value_is_one_sentence_and_nothing_is_written(
    fresco: Fresco,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.chdir(tmp_path)

    ended = fresco("restyle", clip, "-o", "out.mp4", "-p", "ink", "--local", *options)

    assert ended.code == 2
    assert sentence in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


@pytest.mark.parametrize(
    "option",
    [
        *("--range", "--sampler", "--control", "--keyframes", "--flow", "--subject", "--style"),
        *("--preset", "--spacing", "--interpolation", "--device", "--frame-rate"),
    ],
)
def test_what_is_to_be_chosen_is_not_empty(
    fresco: Fresco, clip: Path, tmp_path: Path, option: str
) -> None:
    """As what is to be read."""
    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--local", option, " ")

    assert ended.code == 2
    assert f"'{option}': it is empty; choose" in ended.stderr
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "option",
    [
        *("--subject-mask", "--model", "--control-model", "--models", "--data", "--daemon"),
        *("--token-file", "--tls-cert"),
    ],
)
def test_what_is_to_be_read_has_a_name(
    fresco: Fresco, clip: Path, tmp_path: Path, option: str
) -> None:
    """A variable that a script never set is no wish to do without."""
    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--local", option, "")

    assert ended.code == 2
    assert "the name is empty" in ended.stderr
    assert not (tmp_path / "out.mp4").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--steps", "many"), ("--nonsense",), ("--seed",)],
    ids=["no number", "unknown option", "value missing"],
)
def test_wrong_usage_ends_with_code_2(
    fresco: Fresco, clip: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", *arguments)

    assert ended.code == 2
    assert arguments[0] in ended.stderr
    assert not (tmp_path / "out.mp4").exists()


def test_a_clip_that_is_not_there_is_named(fresco: Fresco, tmp_path: Path) -> None:
    ended = fresco("restyle", tmp_path / "no.mp4", "-o", tmp_path / "out.mp4", "-p", "ink")

    assert ended.code == 2
    assert f"{tmp_path / 'no.mp4'}: there is no such file; check the path" in ended.stderr


def test_a_file_that_is_no_video_is_refused(fresco: Fresco, tmp_path: Path) -> None:
    text = tmp_path / "notes.mp4"
    text.write_text("not a video", encoding="utf-8")

    ended = fresco("restyle", text, "-o", tmp_path / "out.mp4", "-p", "ink", "--local")

    assert ended.code == 2
    assert str(text) in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("clip.mp4", "choose another name"),
        ("taken.mp4", "it exists already; choose another name or add --overwrite"),
        ("out.gif", "videos of this type cannot be written"),
        ("nowhere/out.mp4", "does not exist; create it or choose another"),
    ],
)
def test_an_output_that_cannot_be_written_is_refused_before_the_model_loads(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "taken.mp4").write_bytes(b"mine")

    ended = fresco("restyle", clip, "-o", tmp_path / name, "-p", "ink", "--local")

    assert ended.code == 2
    assert sentence in ended.stderr
    assert engine.loaded == []
    assert (tmp_path / "taken.mp4").read_bytes() == b"mine"


def test_overwrite_replaces_the_output(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    output.write_bytes(b"old")

    ended = fresco("restyle", clip, "-o", output, "-p", "ink", "--overwrite")

    assert ended.code == 0
    assert Clip.open(output).info.frame_count == 12


def test_keyframes_of_two_jobs_never_lie_side_by_side(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    write_numbered(folder, 777, picture_of(1))
    (folder / "note.txt").write_text("mine", encoding="utf-8")
    wanted = ("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--save-keyframes", folder)

    refused = fresco(*wanted)
    done = fresco(*wanted, "--overwrite")

    assert refused.code == 2
    assert "keyframes of an earlier job" in refused.stderr
    assert done.code == 0
    names = {path.name for path in folder.iterdir()}
    assert {"000000.png", "note.txt"} <= names
    assert "000777.png" not in names


@pytest.mark.parametrize("is_painted_over", [False, True], ids=["foreign", "painted over"])
def test_pictures_that_no_job_has_saved_are_never_removed(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path, is_painted_over: bool
) -> None:
    folder = tmp_path / "keys"
    folder.mkdir()
    picture = folder / "000777.png"
    if is_painted_over:
        # GIMP, for one, keeps the comment of what it opened.
        write_numbered(folder, 777, picture_of(1))
        note = png_note(picture.read_bytes())
        picture.write_bytes(encode_png(picture_of(2), note))
    else:
        write_image(picture, picture_of(1))
    before = picture.read_bytes()

    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--save-keyframes", folder, "--overwrite"),
    )

    assert ended.code == 2
    assert "000777.png: no job has saved this picture, or it was painted over" in ended.stderr
    assert picture.read_bytes() == before
    assert engine.loaded == []


def test_keyframes_are_not_saved_among_painted_ones(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    write_image(tmp_path / "key_0003.tif", picture_of(1))

    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--save-keyframes", tmp_path),
    )

    assert ended.code == 2
    assert "with key_0003.tif in it, the keyframes would be taken for painted ones" in ended.stderr
    assert engine.loaded == []


def test_keyframes_may_lie_beside_the_result(fresco: Fresco, clip: Path, tmp_path: Path) -> None:
    wanted = ("restyle", clip, "-o", tmp_path / "made" / "out_%03d.png", "-p", "ink")
    (tmp_path / "made").mkdir()

    for _ in range(2):
        ended = fresco(*wanted, "--save-keyframes", tmp_path / "made", "--overwrite")
        assert ended.code == 0, ended.stderr

    assert (tmp_path / "made" / "000000.png").exists()


def test_keyframes_never_replace_the_pictures_of_the_clip(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for frame in Clip.open(clip).frames():
        write_image(frames / f"{frame.index:06d}.png", frame.image)
    before = {path.name: path.read_bytes() for path in frames.iterdir()}

    ended = fresco(
        *("restyle", frames, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--save-keyframes", frames, "--overwrite"),
    )

    assert ended.code == 2
    assert "this is where the clip itself is; choose another name or folder" in ended.stderr
    assert {path.name: path.read_bytes() for path in frames.iterdir()} == before
    assert engine.loaded == []


def test_a_keyframe_folder_that_is_a_file_is_refused_before_the_model_loads(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")

    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--save-keyframes", tmp_path / "file"),
    )

    assert ended.code == 2
    assert "this is a file; name a folder" in ended.stderr
    assert engine.loaded == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("clip.mp4", "where the clip itself is"), ("out.mp4", "the report would replace the result")],
)
def test_a_report_never_replaces_a_clip(
    fresco: Fresco, clip: Path, tmp_path: Path, name: str, said: str
) -> None:
    before = clip.read_bytes()

    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--report", tmp_path / name),
    )

    assert ended.code == 2
    assert said in ended.stderr
    assert clip.read_bytes() == before
    assert not (tmp_path / "out.mp4").exists()


def test_a_report_into_a_folder_that_may_not_be_written_is_refused_before_the_model_loads(
    fresco: Fresco,
    engine: FakeEngine,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Permissions do not bind every user that runs tests, so the system's answer is replaced.
    monkeypatch.setattr("os.access", lambda path, mode: not mode & os.W_OK)

    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--report", tmp_path / "r.json"),
    )

    assert ended.code == 2
    assert "r.json: the folder" in ended.stderr
    assert "may not be written to; choose another folder" in ended.stderr
    assert engine.loaded == []


def test_words_for_a_frame_that_is_no_keyframe_are_told(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--frame-prompt", "0=snow", "--frame-prompt", "99=rain"),
    )

    assert ended.code == 0
    assert "Warning: the words for frame 99 are not used" in ended.stderr


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (DiskFull("out.mp4", 1_000_000), 1),
        (OutOfDeviceMemory("translating", 2_000_000_000, None), 1),
        (MemoryError(), 1),
        (ZeroDivisionError("division by zero"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_stops_the_work_leaves_nothing_half_written(
    fresco: Fresco,
    engine: FakeEngine,
    clip: Path,
    tmp_path: Path,
    failure: BaseException,
    code: int,
) -> None:
    engine.failure = failure

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--quiet")

    assert ended.code == code
    assert len(ended.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_cancelling_says_that_nothing_was_left_behind(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    engine.failure = KeyboardInterrupt()

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json")

    assert ended.lines[-1]["event"] == "cancelled"
    assert ended.stderr == "Stopped; nothing half-written was left behind.\n"


def test_a_failure_is_the_last_json_line(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    engine.failure = DiskFull("out.mp4", 1_000_000)

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json")

    assert ended.lines[-1]["event"] == "failed"
    assert ended.lines[-1]["kind"] == "DiskFull"
    assert "the disk is full" in ended.lines[-1]["message"]


def test_a_traceback_is_shown_only_with_debug(
    fresco: Fresco, engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    engine.failure = ZeroDivisionError("division by zero")
    wanted = ("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--local")

    plain = fresco(*wanted)
    debug = fresco(*wanted, "--debug")

    assert "Traceback" not in plain.stderr
    assert "run the command again with --debug" in plain.stderr
    assert "Traceback" in debug.stderr
