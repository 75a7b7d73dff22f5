"""`fresco restyle` at a daemon, as far as no real one is needed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import fresco_client as client
import numpy as np
import pytest
from fresco_cli.remedies import in_flags
from fresco_client.files import part_name
from fresco_client.streams import GeneratorStream
from fresco_engine.errors import OutOfDeviceMemory
from fresco_media.clip import Clip
from fresco_media.stills.images import read_image, write_image
from fresco_media.stills.numbered_folder import encoded_own

from tests.cli.conftest import Fresco, write_clip
from tests.fakes.engine import FakeEngine
from tests.fakes.session import NOW, FakeConnect, RecordingSession

LOST = client.DaemonUnreachable("127.0.0.1:7400", "connection refused")


def _submitted(session: RecordingSession) -> client.Job:
    (job,) = session.jobs()
    return job


def test_only_what_was_chosen_goes_to_the_daemon(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--preset", "draft"),
        *("--seed", "7", "--no-cross-frame", "--range", "2:9", "--frame-prompt", "3=snow"),
    )

    assert _submitted(session).settings == client.RestyleSettings(
        prompt="ink",
        preset="draft",
        seed=7,
        start=2,
        stop=9,
        keyframe_prompts={3: "snow"},
        attention=client.AttentionSettings(cross_frame=False),
    )


def test_files_are_named_by_their_whole_paths(
    fresco: Fresco,
    session: RecordingSession,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("model").mkdir()
    Path("a.safetensors").write_bytes(b"")

    ended = fresco(
        *("restyle", clip.name, "-o", "out.mkv", "-p", "ink", "--model", "model", "--lossless"),
        *("--lora", "a.safetensors:0.5", "--control-model", "owner/name", "--device", "cuda"),
    )

    job = _submitted(session)
    assert ended.code == 0
    assert job.clip == client.ClipSource(path=str(clip))
    assert job.model == client.ModelChoice(
        source=str(tmp_path / "model"),
        control_source="owner/name",
        loras=(client.Lora(path=str(tmp_path / "a.safetensors"), weight=0.5),),
    )
    assert job.output == client.OutputOptions(kind="lossless", container="mkv")
    assert job.device == "cuda:0"


def test_the_daemon_is_told_that_the_result_has_arrived(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink")
    fresco("restyle", clip, "-o", tmp_path / "%04d.png", "-p", "ink")

    assert session.confirmed == session.job_ids


@pytest.mark.parametrize("local", [(), ("--local",)], ids=["daemon", "local"])
def test_pictures_are_numbered_like_the_source_and_replace_an_earlier_result(
    fresco: Fresco, clip: Path, tmp_path: Path, local: tuple[str, ...]
) -> None:
    source, output = tmp_path / "source", tmp_path / "result"
    source.mkdir()
    output.mkdir()
    for frame in Clip.open(clip).frames(0, 5):
        write_image(source / f"shot.{frame.index + 7:04d}.png", frame.image)
    (output / "made.0099.png").write_bytes(encoded_own(next(Clip.open(clip).frames()).image))
    (output / "note.txt").write_text("mine", encoding="utf-8")
    wanted = ("restyle", source / "shot.%04d.png", "-o", output / "made.%04d.png", "-p", "ink")

    refused = fresco(*wanted, *local)
    done = fresco(*wanted, *local, "--overwrite", "--save-keyframes", tmp_path / "keys")

    assert (refused.code, done.code) == (2, 0), done.stderr
    names = sorted(path.name for path in output.iterdir())
    assert names == [*(f"made.{number:04d}.png" for number in range(7, 12)), "note.txt"]
    made = read_image(output / "made.0007.png")
    assert (made == 255 - read_image(source / "shot.0007.png")).all()
    keyframe = read_image(tmp_path / "keys" / "000007.png")
    assert (keyframe == made).all()
    assert not (tmp_path / "keys" / "000000.png").exists()


def test_keyframes_and_report_name_places_on_this_machine(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json"),
        *("--save-keyframes", tmp_path / "keys", "--report", tmp_path / "r.json"),
    )

    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    names = {path.name for path in (tmp_path / "keys").iterdir()}
    assert names == {f"{index:06d}.png" for index in report["keyframes"]}
    assert report["clip"]["path"] == str(clip)
    assert report["outputs"] == {
        "clip": str(tmp_path / "out.mp4"),
        "keyframes": str(tmp_path / "keys"),
    }
    assert ended.lines[-1]["report"] == report


def test_a_connection_that_is_lost_for_a_while_is_told(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    session.connection_states = ("reconnecting", "connected")

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink")

    assert ended.code == 0
    assert "The connection to the daemon was lost; reconnecting for" in ended.stderr
    assert "Connected again." in ended.stderr


def test_a_daemon_that_does_not_come_back_leaves_the_way_to_the_result(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    session.lost = LOST

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink")

    (job_id,) = session.job_ids
    assert ended.code == 1
    assert f"'fresco jobs watch {job_id}' follows it" in ended.stderr
    assert f"'fresco jobs fetch {job_id} -o OUT' gets its result" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_ctrl_c_cancels_the_job(
    fresco: Fresco, engine: FakeEngine, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    engine.failure = KeyboardInterrupt()

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink")

    (job_id,) = session.job_ids
    assert ended.code == 130
    assert session.asked[0] == f"cancel {job_id}"
    assert ended.stderr.endswith(
        f"Cancelling job {job_id}.\nStopped; nothing half-written was left behind.\n"
    )


def test_ctrl_c_when_the_job_is_done_says_how_to_get_its_result(
    fresco: Fresco,
    session: RecordingSession,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def interrupted(job_id: str, path: Path, *rest: object, **named: object) -> client.ResultInfo:
        part_name(path, job_id).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(session, "fetch_result", interrupted)

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--quiet")

    (job_id,) = session.job_ids
    assert ended.code == 130
    assert f"fresco jobs fetch {job_id} -o OUT" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["clip.mp4"]


def test_a_job_that_cannot_be_cancelled_is_named(
    fresco: Fresco,
    engine: FakeEngine,
    session: RecordingSession,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unreachable(job_id: str) -> client.Job:
        raise LOST

    engine.failure = KeyboardInterrupt()
    monkeypatch.setattr(session, "cancel", unreachable)

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--quiet")

    (job_id,) = session.job_ids
    assert ended.code == 130
    assert f"'fresco jobs cancel {job_id}' does it later" in ended.stderr


def test_a_job_that_another_program_cancels_ends_with_code_130(
    fresco: Fresco,
    engine: FakeEngine,
    session: RecordingSession,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def cancelled(job_id: str, **named: object) -> client.Stream[client.Event]:
        state = client.JobState.CANCELLED
        last = client.StateChanged(sequence=1, time=NOW, state=state, reason="")
        return GeneratorStream(event for event in (last,))

    monkeypatch.setattr(session, "watch", cancelled)

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--quiet")

    assert ended.code == 130
    assert "was cancelled by another program" in ended.stderr


def test_a_failure_that_can_be_mended_says_how_to_go_on(
    fresco: Fresco,
    engine: FakeEngine,
    session: RecordingSession,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.failure = OutOfDeviceMemory("translating", None, None)
    session.can_resume = True

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json")

    (job_id,) = session.job_ids
    assert ended.code == 1
    assert ended.lines[-1]["kind"] == "OutOfDeviceMemory"
    assert f"then 'fresco jobs resume {job_id}' goes on" in ended.lines[-1]["message"]


@pytest.mark.parametrize("output", ["taken.mp4", "taken_%04d.png"])
def test_a_name_that_is_taken_while_the_job_runs_costs_no_result(
    fresco: Fresco,
    session: RecordingSession,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    output: str,
) -> None:
    taken, watch = tmp_path / output.replace("%04d", "0003"), session.watch

    def meanwhile(*given: Any, **named: Any) -> client.Stream[client.Event]:
        taken.write_bytes(b"of another job")
        return watch(*given, **named)

    monkeypatch.setattr(session, "watch", meanwhile)

    ended = fresco("restyle", clip, "-o", tmp_path / output, "-p", "ink", "--quiet")

    (job_id,) = session.job_ids
    assert ended.code != 0
    assert f"'fresco jobs fetch {job_id} -o OUT' gets what it makes" in ended.stderr
    assert taken.read_bytes() == b"of another job"


def test_what_the_daemon_refuses_is_one_sentence(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    session.refusal = client.LimitReached("200 jobs wait already; try again later", "QUEUE_FULL")

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--json")

    assert ended.code == 1
    assert ended.lines[-1]["kind"] == "QueueFull"
    assert ended.stderr == "Error: 200 jobs wait already; try again later\n"


@pytest.mark.parametrize(
    "error",
    [
        client.DaemonNotInstalled(Path("/data")),
        client.DaemonFailedToStart("ended with exit code 1", Path("/data/daemon.log"), "why"),
        client.VersionMismatch("The daemon speaks another version."),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("command", [("restyle",), ("look", "--frame", "0")], ids=lambda c: c[0])
def test_without_a_daemon_the_way_without_one_is_named(
    fresco: Fresco,
    connect: FakeConnect,
    clip: Path,
    tmp_path: Path,
    error: client.ClientError,
    command: tuple[str, ...],
) -> None:
    connect.error = error
    output = tmp_path / ("out.mp4" if command[0] == "restyle" else "out.png")

    ended = fresco(*command, clip, "-o", output, "-p", "ink")

    assert ended.code == 1
    told = in_flags(error).replace("\n", "\n    ")
    assert ended.stderr == f"Error: {told}\nTo work without a daemon, add --local.\n"
    assert not output.exists()


def test_that_a_daemon_is_started_is_told(
    fresco: Fresco, connect: FakeConnect, clip: Path, tmp_path: Path
) -> None:
    connect.runs = False

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink")

    assert ended.stderr.startswith("Starting the Fresco daemon")


def test_a_detached_job_is_named_and_goes_on(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--detach")
    as_json = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--detach", "--json")

    quietly = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--detach", "-q")

    first, second, third = session.job_ids
    assert (ended.code, ended.stdout) == (0, f"{first}\n")
    assert (quietly.stdout, quietly.stderr) == (f"{third}\n", "")
    assert as_json.lines == [{"event": "job", "id": second}]
    assert not any(what.startswith("cancel") for what in session.asked)


@pytest.mark.parametrize(
    "options",
    [("--detach",), ("--data", "d"), ("--daemon", "a:1"), ("--token-file", "t")],
    ids=lambda options: options[0],
)
def test_options_of_a_daemon_do_not_go_with_local(
    fresco: Fresco, clip: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    ended = fresco("restyle", clip, "-o", tmp_path / "o.mp4", "-p", "ink", "--local", *options)

    assert ended.code == 2
    assert "--local works without a daemon" in ended.stderr


def test_a_clip_the_daemon_cannot_read_is_sent(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    session.has_file_access = False

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink")

    source = _submitted(session).clip
    assert ended.code == 0
    assert source is not None
    assert source.upload_sha256 in session.uploads


def test_a_job_has_the_name_of_its_clip_where_the_daemon_has_the_bytes_by_an_older_one(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    session.has_file_access = False
    older = clip.rename(clip.with_name("older.mp4"))
    session.upload(older)
    older.rename(clip)

    fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink")

    assert _submitted(session).title == clip.name


@pytest.mark.parametrize("is_near", [True, False], ids=["by path", "sent"])
def test_a_mask_of_the_subject_goes_the_way_of_the_clip(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path, is_near: bool
) -> None:
    session.has_file_access = is_near
    mask = tmp_path / "mask.png"
    write_image(mask, np.full((48, 64, 3), 255, np.uint8))

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--subject-mask", mask)

    assert ended.code == 0
    settings = _submitted(session).settings
    assert settings is not None
    sent = hashlib.sha256(mask.read_bytes()).hexdigest()
    assert settings.subject_mask == (str(mask) if is_near else f"upload:{sent}")
    assert (sent in session.uploads) is not is_near


@pytest.mark.parametrize("is_near", [True, False], ids=["by path", "sent"])
def test_a_reference_picture_goes_the_way_of_the_clip(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path, is_near: bool
) -> None:
    session.has_file_access = is_near
    picture = tmp_path / "look.png"
    write_image(picture, np.full((48, 64, 3), 255, np.uint8))
    given = ("--reference", picture, "--reference-model", "plus", "--reference-scale", "1")

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", *given)

    assert ended.code == 0
    settings = _submitted(session).settings
    assert settings is not None
    sent = hashlib.sha256(picture.read_bytes()).hexdigest()
    assert settings.reference == (str(picture) if is_near else f"upload:{sent}")
    assert (settings.reference_model, settings.reference_scale) == ("plus", 1.0)
    assert (sent in session.uploads) is not is_near


def test_a_reference_that_is_no_picture_is_told_before_anything_is_sent(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "look.png").write_text("no picture")

    for name, sentence in (("look.png", "not a picture"), ("no.png", "there is no such picture")):
        ended = fresco(
            "restyle", clip, "-o", tmp_path / "out.mp4", "-p", "x", "--reference", tmp_path / name
        )
        assert ended.code != 0
        assert sentence in ended.stderr
    assert not session.uploads


def test_the_reference_picture_is_not_overwritten(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    picture = tmp_path / "look.png"
    write_image(picture, np.full((48, 64, 3), 255, np.uint8))

    given = ("look", clip, "--frame", "0", "-o", picture, "--overwrite", "-p", "x")
    ended = fresco(*given, "--reference", picture)

    assert ended.code != 0
    assert "the reference picture is" in ended.stderr


def test_an_unusable_mask_is_told_before_anything_is_sent(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    session.has_file_access = False
    mask = tmp_path / "mask.png"
    write_image(mask, np.zeros((48, 64, 3), np.uint8))

    ended = fresco("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--subject-mask", mask)

    assert ended.code == 2
    assert "nothing in its picture is white" in ended.stderr
    assert session.uploads == {}


def test_a_result_never_takes_the_place_of_the_mask(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    mask = write_clip(tmp_path / "mask.mp4", 12)

    ended = fresco("restyle", clip, "-o", mask, "-p", "x", "--overwrite", "--subject-mask", mask)

    assert ended.code == 2
    assert "this is where the mask is" in ended.stderr


@pytest.mark.parametrize("fits", [True, False])
def test_elsewhere_a_path_counts_only_if_the_same_clip_is_there(
    fresco: Fresco,
    session: RecordingSession,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fits: bool,
) -> None:
    if not fits:
        known = session.describe_clip(client.ClipSource(path=str(clip)))
        other = replace(known, frame_count=99)
        monkeypatch.setattr(session, "describe_clip", lambda source: other)

    fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink"),
        *("--daemon", "far:7400", "--token-file", "t"),
    )

    source = _submitted(session).clip
    assert source is not None
    assert (source.path is not None) == fits


def test_pictures_the_daemon_cannot_read_are_refused_with_what_to_do(
    fresco: Fresco, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    session.has_file_access = False
    frames = tmp_path / "frames"
    frames.mkdir()
    for frame in Clip.open(clip).frames(0, 3):
        write_image(frames / f"{frame.index:04d}.png", frame.image)

    ended = fresco("restyle", frames, "-o", tmp_path / "out.mp4", "-p", "ink")

    assert ended.code == 2
    assert "only single files can be sent to it" in ended.stderr
    assert session.job_ids == []
