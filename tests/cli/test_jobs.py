"""`fresco jobs` from the outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import fresco_client as client
import pytest
from fresco_cli.jobs_table import facts, table
from fresco_client.streams import GeneratorStream
from fresco_media.clip import Clip

from tests.cli.conftest import Ended, Fresco
from tests.fakes.engine import FakeEngine
from tests.fakes.session import NOW, FakeConnect, RecordingSession, new_job

MakeJob = Callable[..., str]


@pytest.fixture
def make_job(fresco: Fresco, clip: Path, tmp_path: Path) -> MakeJob:
    """Makes a job whose result nobody has fetched; its id."""

    def make(output: str = "out.mp4") -> str:
        ended = fresco("restyle", clip, "-o", tmp_path / output, "-p", "ink", "--detach")
        return ended.stdout.strip()

    return make


def test_a_job_is_followed_and_fetched_later_by_the_beginning_of_its_id(
    fresco: Fresco, make_job: MakeJob, tmp_path: Path
) -> None:
    job_id = make_job()
    output = tmp_path / "Größe 雪.mp4"

    watched = fresco("jobs", "watch", job_id[:6])
    fetched = fresco(
        *("jobs", "fetch", job_id[:6], "-o", output, "--save-keyframes", tmp_path / "keys"),
        *("--report", tmp_path / "r.json"),
    )

    assert (watched.code, fetched.code) == (0, 0), fetched.stderr
    assert f"fresco jobs fetch {job_id} -o OUT" in watched.stdout
    assert Clip.open(output).info.frame_count == 12
    assert (tmp_path / "keys" / "000000.png").exists()
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["outputs"]["clip"] == str(output)


def test_frames_are_fetched_without_the_clip(
    fresco: Fresco, make_job: MakeJob, session: RecordingSession, clip: Path, tmp_path: Path
) -> None:
    job_id = make_job("%03d.png")
    fresco("jobs", "watch", job_id)
    clip.unlink()
    output = tmp_path / "pictures"

    ended = fresco("jobs", "fetch", job_id, "-o", output, "--json")

    assert ended.code == 0, ended.stderr
    assert len(list(output.iterdir())) == 12
    assert session.confirmed == [job_id]
    assert [ended.lines[0]["event"], ended.lines[-1]["event"]] == ["job", "finished"]


def test_a_job_that_was_resumed_is_waited_for_whatever_it_failed_of_before(
    fresco: Fresco,
    make_job: MakeJob,
    session: RecordingSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failure = client.Failure(reason="DISK_FULL", message="full", log_tail="", can_resume=True)
    watch = session.watch

    def resumed(*given: Any, **named: Any) -> client.Stream[client.Event]:
        before = (
            client.Failed(sequence=1, time=NOW, failure=failure),
            client.StateChanged(sequence=2, time=NOW, state=client.JobState.QUEUED, reason=""),
        )
        return GeneratorStream(event for event in (*before, *watch(*given, **named)))

    monkeypatch.setattr(session, "watch", resumed)

    ended = fresco("jobs", "fetch", make_job(), "-o", tmp_path / "out.mp4")

    assert ended.code == 0, ended.stderr
    assert (tmp_path / "out.mp4").is_file()


@pytest.mark.parametrize(("past", "said"), [(2, 0), (1, 1), (0, 1)])
def test_of_what_has_happened_before_only_what_still_holds_is_said(
    fresco: Fresco,
    make_job: MakeJob,
    session: RecordingSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    past: int,
    said: int,
) -> None:
    job, watch = session.job, session.watch

    def resumed(*given: Any, **named: Any) -> client.Stream[client.Event]:
        before = (
            client.StateChanged(sequence=1, time=NOW, state=client.JobState.PAUSED),
            client.StateChanged(sequence=2, time=NOW, state=client.JobState.QUEUED),
        )
        return GeneratorStream(event for event in (*before, *watch(*given, **named)))

    monkeypatch.setattr(session, "watch", resumed)
    monkeypatch.setattr(session, "job", lambda name: replace(job(name), last_sequence=past))

    ended = fresco("jobs", "fetch", make_job(), "-o", tmp_path / "out.mp4")

    assert ended.code == 0, ended.stderr
    assert (ended.stdout + ended.stderr).count("Paused;") == said


def test_watching_as_json_tells_what_restyling_does(fresco: Fresco, make_job: MakeJob) -> None:
    ended = fresco("jobs", "watch", make_job(), "--json")

    assert [line["event"] for line in ended.lines[:2]] == ["job", "analysed"]
    assert ended.lines[-1]["report"]["settings"]["prompt"] == "ink"


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("taken.mp4", "it exists already"),
        ("out.mkv", "the job has made a video for .mp4; end the name with that"),
        ("out", "end the name with that"),
        ("nowhere/out.mp4", "does not exist; create it"),
    ],
)
def test_a_place_that_cannot_be_used_is_refused_before_anything_is_fetched(
    fresco: Fresco, make_job: MakeJob, tmp_path: Path, name: str, sentence: str
) -> None:
    job_id = make_job()
    (tmp_path / "taken.mp4").write_bytes(b"mine")

    ended = fresco("jobs", "fetch", job_id, "-o", tmp_path / name)

    assert ended.code == 2
    assert sentence in ended.stderr
    assert (tmp_path / "taken.mp4").read_bytes() == b"mine"


def test_a_fetched_result_never_replaces_what_the_job_was_made_with(
    fresco: Fresco, clip: Path, session: RecordingSession, tmp_path: Path
) -> None:
    files = {name: tmp_path / name for name in ("ink.safetensors", "flow.pth", "painted.png")}
    for file in files.values():
        file.write_bytes(b"mine")
    ended = fresco(
        *("restyle", clip, "-o", tmp_path / "out.mp4", "-p", "ink", "--detach"),
        *("--lora", files["ink.safetensors"], "--flow", f"gmflow:{files['flow.pth']}"),
        *("--painted", f"0={files['painted.png']}"),
    )
    job_id = ended.stdout.strip()

    for what, file in zip(
        ("a LoRA is", "the flow's weights are", "a painted picture is"), files.values(), strict=True
    ):
        link = tmp_path / "link.mp4"
        link.symlink_to(file)
        for place in (("-o", link), ("-o", tmp_path / "new.mp4", "--report", file)):
            ended = fresco("jobs", "fetch", job_id, *place, "--overwrite")

            assert ended.code == 2, place
            assert f"this is where {what}" in ended.stderr
        link.unlink()
        assert file.read_bytes() == b"mine"


def test_ctrl_c_ends_the_following_and_not_the_job(
    fresco: Fresco, make_job: MakeJob, engine: FakeEngine, session: RecordingSession
) -> None:
    job_id = make_job()
    engine.failure = KeyboardInterrupt()

    ended = fresco("jobs", "watch", job_id, "--quiet")

    assert ended.code == 130
    assert ended.stderr == f"Job {job_id} goes on; 'fresco jobs cancel {job_id}' ends it.\n"
    assert not any(what.startswith("cancel") for what in session.asked)


@pytest.mark.parametrize(
    ("verb", "state"),
    [("cancel", "cancelled"), ("pause", "paused"), ("resume", "queued"), ("delete", "deleted")],
)
def test_several_jobs_are_steered_at_once(
    fresco: Fresco, session: RecordingSession, verb: str, state: str
) -> None:
    session.add(new_job("aaa1"))
    session.add(new_job("bbb2"))

    ended = fresco("jobs", verb, "aaa1", "b")
    assert (ended.code, ended.stdout) == (0, f"aaa1: {state}\nbbb2: {state}\n")
    assert [what for what in session.asked if what != "close"] == [f"{verb} aaa1", f"{verb} bbb2"]


def test_nothing_is_done_to_any_job_if_one_is_not_there(
    fresco: Fresco, session: RecordingSession
) -> None:
    session.add(new_job("aaa1"))

    ended = fresco("jobs", "delete", "aaa1", "zzz", "--json")

    assert ended.code == 2
    assert ended.lines[-1]["kind"] == "JobNotFound"
    assert "there is no job 'zzz'; 'fresco jobs' lists those there are" in ended.stderr
    assert session.job_ids == ["aaa1"]


def test_a_beginning_that_several_ids_have_is_refused(
    fresco: Fresco, session: RecordingSession
) -> None:
    session.add(new_job("abc1"))
    session.add(new_job("abc2"))

    ended = fresco("jobs", "show", "abc")

    assert ended.code == 2
    assert "'abc' begins several ids: abc1, abc2; give more of one" in ended.stderr


def test_a_whole_id_wins_over_longer_ones(fresco: Fresco, session: RecordingSession) -> None:
    session.add(new_job("abc"))
    session.add(new_job("abcd"))

    assert fresco("jobs", "show", "abc").stdout.startswith("id       abc\n")


def test_an_ended_job_cannot_be_cancelled(fresco: Fresco, make_job: MakeJob) -> None:
    job_id = make_job()
    fresco("jobs", "watch", job_id)

    ended = fresco("jobs", "cancel", job_id)

    assert ended.code == 2
    assert "is done" in ended.stderr


def test_keyframes_are_made_anew_with_words_and_seeds(
    fresco: Fresco, make_job: MakeJob, session: RecordingSession
) -> None:
    job_id = make_job()

    ended = fresco("jobs", "reroll", job_id, "--keyframe", "0=snow", "--seed", "6=9")

    assert ended.code == 0
    assert ended.stdout == f"rerolled{job_id}\n"
    assert session.rerolled == [
        client.KeyframeChange(index=0, prompt="snow"),
        client.KeyframeChange(index=6, seed=9),
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ((), "name at least one keyframe"),
        (("--keyframe", "x"), "'x' is not of the form N or N=TEXT"),
        (("--seed", "6"), "'6' is not of the form N=SEED"),
    ],
)
def test_a_wrong_change_is_refused(fresco: Fresco, options: tuple[str, ...], sentence: str) -> None:
    ended = fresco("jobs", "reroll", "any", *options)

    assert ended.code == 2
    assert sentence in ended.stderr


def test_a_painted_file_that_is_no_picture_is_refused_before_a_job(
    fresco: Fresco, make_job: MakeJob, session: RecordingSession, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("words", encoding="utf-8")

    ended = fresco("jobs", "reroll", make_job(), "--paint", f"0={file}")

    assert ended.code == 2
    assert "notes.txt: it is empty, damaged or not a picture" in ended.stderr
    assert session.rerolled == []


@pytest.mark.parametrize("command", [("jobs",), ("jobs", "list")], ids=" ".join)
def test_jobs_are_listed_the_newest_first(
    fresco: Fresco, session: RecordingSession, command: tuple[str, ...]
) -> None:
    session.add(new_job("a" * 32, title="first.mp4"))
    session.add(new_job("b" * 32, title="second.mp4"))

    ended = fresco(*command)
    listed = fresco(*command, "--json")

    lines = ended.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "bbbbbbbb", "aaaaaaaa"]
    jobs = json.loads(listed.stdout)
    assert [(job["title"], job["state"]) for job in jobs] == [
        ("second.mp4", "queued"),
        ("first.mp4", "queued"),
    ]
    assert jobs[0]["create_time"] == "2026-01-02T03:04:05+00:00"


def test_without_jobs_one_sentence_says_so(fresco: Fresco) -> None:
    assert fresco("jobs").stdout == "There are no jobs.\n"
    assert json.loads(fresco("jobs", "--json").stdout) == []


@pytest.mark.parametrize("command", [(), ("list",), ("show", "a")], ids=str)
def test_to_look_at_jobs_no_daemon_is_started(
    fresco: Fresco, connect: FakeConnect, command: tuple[str, ...]
) -> None:
    connect.runs = False

    ended = fresco("jobs", *command)

    assert ended.code == 1
    assert "No Fresco daemon runs for /data. Start one with 'fresco serve'." in ended.stderr


def test_options_before_a_command_are_not_passed_over(fresco: Fresco) -> None:
    ended = fresco("jobs", "--data", "d", "list")

    assert ended.code == 2
    assert "options go behind the command" in " ".join(ended.stderr.split())


def test_a_running_job_shows_its_stage_the_whole_jobs_share_and_time_left() -> None:
    begun = client.StageProgress(stage=client.Stage.ANALYSING, done=1, total=1)
    progress = client.StageProgress(stage=client.Stage.TRANSLATING, done=2, total=3)
    job = new_job(
        "f" * 32, state=client.JobState.TRANSLATING, progress=(begun, progress), remaining_s=65.0
    )

    (_, line) = table([job], NOW + timedelta(minutes=3)).splitlines()

    assert line == "ffffffff  translating keyframes  41%   65 s  3 min  clip.mp4"


def test_ids_are_shown_as_long_as_it_takes_to_tell_them_apart() -> None:
    shown = table([new_job("12345678a"), new_job("12345678b")], NOW)

    assert [line.split()[0] for line in shown.splitlines()[1:]] == ["12345678a", "12345678b"]


@pytest.mark.parametrize(("title", "shown"), [("t" * 40, "t" * 40), ("t" * 41, "t" * 39 + "…")])
def test_a_long_title_is_cut_to_forty_characters(title: str, shown: str) -> None:
    (_, line) = table([new_job("a", title=title)], NOW).splitlines()

    assert line.split()[-1] == shown


def test_a_failed_job_shows_why() -> None:
    failure = client.Failure(
        reason="DISK_FULL", message="the disk is full", log_tail="", can_resume=True
    )
    job = replace(new_job("a"), state=client.JobState.FAILED, failure=failure, warnings=("odd",))

    shown = facts(job)

    assert "failed   the disk is full" in shown
    assert "warning  odd" in shown


def test_every_fact_of_a_job_that_ran_is_shown(fresco: Fresco, make_job: MakeJob) -> None:
    job_id = make_job()
    fresco("jobs", "watch", job_id)

    ended: Ended = fresco("jobs", "show", job_id)

    for text in (job_id, "done", "clip.mp4", "ink", "the bundled model", "h264", "not yet"):
        assert text in ended.stdout
