"""What can be done to jobs, with a real daemon, a real client and a worker without a model."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
from fresco_client import (
    AlreadyExists,
    Cancelled,
    ClientError,
    ClipSource,
    DaemonUnreachable,
    Failed,
    Finished,
    FrameKind,
    FrameReady,
    InvalidRequest,
    Job,
    JobState,
    KeyframeChange,
    KeyframeReady,
    LimitReached,
    NotFound,
    NotPossibleNow,
    OutputOptions,
    Picture,
    PictureOptions,
    RestyleSettings,
    Session,
    StateChanged,
)
from fresco_client.pictures import AS_IT_IS, WITH_ALPHA
from fresco_media.clip import Clip
from fresco_media.colour.alpha import multiplied
from fresco_media.colour.scaling import resize
from fresco_media.stills.images import write_image
from fresco_media.stills.png import decode_png
from fresco_media.types import Image
from PIL import Image as PillowImage

from tests.engine.conftest import scene, with_hole, write_clip
from tests.integration.conftest import StartDaemon
from tests.integration.daemons import DaemonProcess, wait_for, with_fake_worker

SETTINGS = RestyleSettings(prompt="a negative", size=64)
SLOWLY = ["--step-s", "0.2", "--frame-s", "0.05"]


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> DaemonProcess:
    """A daemon that is quick."""
    return start_daemon(**with_fake_worker())


@pytest.fixture
def slow_daemon(start_daemon: StartDaemon) -> DaemonProcess:
    """A daemon whose jobs take some seconds."""
    return start_daemon(**with_fake_worker(SLOWLY))


@pytest.fixture
def session(request: pytest.FixtureRequest) -> Iterator[Session]:
    """A client of whichever daemon the test asks for."""
    name = "slow_daemon" if "slow_daemon" in request.fixturenames else "daemon"
    with request.getfixturevalue(name).session() as session:
        yield session


def _submit(session: Session, clip: Path, prompt: str = "a negative", job_id: str = "") -> Job:
    return session.submit(
        ClipSource(path=str(clip)),
        RestyleSettings(prompt=prompt, size=64),
        output=OutputOptions(kind="lossless"),
        job_id=job_id or None,
    )


def _wait_for_state(session: Session, job: Job, *states: JobState) -> Job:
    def reached() -> Job | None:
        found = session.job(job.id)
        return found if found.state in states else None

    return wait_for(f"job {job.id} to be {states}", reached)


def _wait_for_pictures(session: Session, job: Job) -> None:
    wait_for("the first keyframe", lambda: session.job(job.id).ready_keyframes)


def test_a_running_job_is_cancelled_and_keeps_what_it_has_made(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    job = _submit(session, clip)
    _wait_for_pictures(session, job)

    cancelled = session.cancel(job.id)

    assert cancelled.state is JobState.CANCELLED
    events = list(session.watch(job.id))
    assert isinstance(events[-1], StateChanged)
    assert events[-1].state is JobState.CANCELLED
    assert session.frame(job.id, "keyframe", 0).width == 80


def test_a_job_is_cancelled_also_while_the_worker_does_not_listen(
    start_daemon: StartDaemon, clip: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--step-s", "60"]))
    with daemon.session() as session:
        job = _submit(session, clip)
        _wait_for_state(session, job, JobState.TRANSLATING)

        cancelled = session.cancel(job.id)

        assert cancelled.state is JobState.CANCELLED
        assert session.cancel(job.id).state is JobState.CANCELLED


def test_a_paused_job_goes_on_with_what_it_has(
    slow_daemon: DaemonProcess, session: Session, clip: Path, tmp_path: Path
) -> None:
    job = _submit(session, clip)
    _wait_for_pictures(session, job)

    paused = session.pause(job.id)
    resumed = session.resume(job.id)
    events = list(session.watch(job.id))

    assert paused.state is JobState.PAUSED
    assert resumed.state is not JobState.PAUSED
    assert isinstance(events[-1], Finished)
    keyframes = [event.index for event in events if isinstance(event, KeyframeReady)]
    assert len(set(keyframes)) == len(keyframes)
    session.fetch_result(job.id, tmp_path / "result.mp4")
    assert Clip.open(tmp_path / "result.mp4").info.frame_count == 40


def test_a_waiting_job_is_cancelled_and_paused_at_once(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    first = _submit(session, clip)
    second, third = _submit(session, clip), _submit(session, clip)
    _wait_for_pictures(session, first)

    assert session.job(third.id).jobs_ahead == 1
    assert session.cancel(second.id).state is JobState.CANCELLED
    assert session.pause(third.id).state is JobState.PAUSED
    assert session.job(first.id).state is JobState.TRANSLATING


def test_jobs_are_worked_on_in_their_order_but_urgent_ones_first(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    running = _submit(session, clip)
    _wait_for_pictures(session, running)
    waiting = _submit(session, clip)
    urgent = session.submit(
        ClipSource(path=str(clip)), SETTINGS, is_urgent=True, output=OutputOptions(kind="frames")
    )
    session.cancel(running.id)

    assert session.job(urgent.id).jobs_ahead == 0
    assert session.job(waiting.id).jobs_ahead <= 1
    _wait_for_pictures(session, urgent)
    assert session.job(waiting.id).state is JobState.QUEUED


def test_the_same_request_gives_the_same_job_and_another_one_is_refused(
    daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    first = _submit(session, clip, job_id="mine")

    again = _submit(session, clip, job_id="mine")

    assert again.create_time == first.create_time
    with pytest.raises(AlreadyExists, match="choose another"):
        _submit(session, clip, prompt="something else", job_id="mine")


def test_a_look_is_made_while_a_job_runs(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    job = _submit(session, clip)
    _wait_for_pictures(session, job)

    *steps, picture = session.look(ClipSource(path=str(clip)), 3, SETTINGS)

    assert len(steps) == 3
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height) == (80, 64)
    assert session.job(job.id).state.value in ("translating keyframes", "interpolating")


def test_a_newer_look_of_the_same_client_takes_the_place_of_an_older(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    source = ClipSource(path=str(clip))
    older = session.look(source, 3, SETTINGS, client_id="me")
    next(iter(older))

    newer = list(session.look(source, 4, SETTINGS, client_id="me"))

    assert isinstance(newer[-1], Picture)
    with pytest.raises(Cancelled):
        list(older)


def test_a_look_that_cannot_be_made_says_why(
    daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    with pytest.raises(InvalidRequest, match="use other words"):
        list(session.look(ClipSource(path=str(clip)), 3, RestyleSettings(prompt="unthinkable")))


def test_a_setting_that_is_out_of_range_is_called_by_its_title(
    daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    wrong = RestyleSettings(prompt="ink", guidance_scale=99)

    with pytest.raises(InvalidRequest, match=r"^Guidance: 99\.0 is outside 0 to 50") as caught:
        session.submit(ClipSource(path=str(clip)), wrong)

    assert caught.value.field == "guidance_scale"


def test_rerolling_makes_only_what_depends_on_the_keyframe(
    daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    job = _submit(session, clip)
    assert isinstance(list(session.watch(job.id))[-1], Finished)
    plan = session.job(job.id).plan
    assert plan is not None
    keyframes = plan.keyframes

    rerolled = session.reroll(job.id, [KeyframeChange(index=keyframes[2], prompt="brighter")])
    events = list(session.watch(rerolled.id))

    assert isinstance(events[-1], Finished)
    assert rerolled.parent_id == job.id
    old, new = (_inodes(daemon, name) for name in (job.id, rerolled.id))
    made_again = {name for name in new if new[name] != old[name]}
    expected = {f"frames/{i:06d}.png" for i in range(keyframes[1] + 1, keyframes[3])}
    assert made_again == expected | {f"keyframes/{keyframes[2]:06d}.png"}
    assert session.job(job.id).state is JobState.DONE


@pytest.fixture(scope="module")
def transparent_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven frames of 80 x 64 of which the first five fade to nothing at the left."""
    path = tmp_path_factory.mktemp("clips") / "transparent.mov"
    return write_clip(path, with_hole(scene(7), until=5))


@pytest.mark.parametrize("output", ["lossless", "frames"])
def test_what_is_made_of_a_transparent_clip_is_so_too_where_that_is_wanted(
    daemon: DaemonProcess,
    session: Session,
    transparent_clip: Path,
    tmp_path: Path,
    output: Literal["lossless", "frames"],
) -> None:
    job = session.submit(
        ClipSource(path=str(transparent_clip)),
        RestyleSettings(prompt="a negative", size=64),
        output=OutputOptions(kind=output, container="mkv" if output == "lossless" else None),
    )
    events = list(session.watch(job.id, pictures=WITH_ALPHA))
    said = {
        (type(event), event.index): event.picture
        for event in events
        if isinstance(event, KeyframeReady | FrameReady)
    }
    mattes = list(Clip.open(transparent_clip).mattes())
    kinds: tuple[tuple[type, FrameKind], ...] = (
        (KeyframeReady, "keyframe"),
        (FrameReady, "result"),
    )
    for kind, name in kinds:
        for index in (0, 5):
            whole = _shown(session.frame(job.id, name, index, WITH_ALPHA))
            flat = _shown(session.frame(job.id, name, index, AS_IT_IS))
            as_jpeg = session.frame(job.id, name, index, PictureOptions(has_alpha=True))

            assert np.array_equal(_shown(said[kind, index]), whole)
            assert as_jpeg.encoding == "jpeg"
            if index == 5:  # which is opaque
                assert np.array_equal(whole, flat)
                continue
            assert np.array_equal(whole[..., 3], mattes[index])
            # Nothing is brighter than it is opaque.
            wanted = np.minimum(flat, mattes[index][..., None])
            assert np.abs(multiplied(whole).astype(int) - wanted).max() <= 1
    if output == "lossless":
        session.fetch_result(job.id, tmp_path / "out.mkv")
        assert np.array_equal(next(Clip.open(tmp_path / "out.mkv").mattes()), mattes[0])


def test_a_look_at_a_transparent_clip_is_transparent_where_that_is_wanted(
    daemon: DaemonProcess, session: Session, transparent_clip: Path
) -> None:
    matte = next(Clip.open(transparent_clip).mattes())

    def looked(options: PictureOptions, **changes: Any) -> Any:
        source = ClipSource(path=str(transparent_clip))
        settings = RestyleSettings(prompt="a negative", size=64, **changes)
        return list(session.look(source, 0, settings, options=options))[-1]

    whole, flat = looked(WITH_ALPHA), looked(AS_IT_IS)
    small = looked(replace(WITH_ALPHA, long_side=40), region="subject")

    assert np.array_equal(_shown(whole)[..., 3], matte)
    assert _shown(flat).shape[2] == 3
    assert _shown(small).shape == (32, 40, 4)
    assert np.array_equal(_shown(small)[..., 3], resize(matte, (40, 32)))
    assert _shown(small.region).shape == (32, 40, 3)
    assert list((daemon.data / "looks").iterdir()) == []


def _shown(picture: Picture | None) -> Image:
    """A picture as whoever gets it sees it."""
    assert picture is not None
    return np.asarray(PillowImage.open(BytesIO(picture.data)))


def test_keyframes_are_moved_and_painted_and_the_rest_is_kept(
    daemon: DaemonProcess, session: Session, clip: Path, tmp_path: Path
) -> None:
    job = _submit(session, clip)
    assert isinstance(list(session.watch(job.id))[-1], Finished)
    plan = session.job(job.id).plan
    assert plan is not None
    keys = plan.keyframes
    picture = tmp_path / "bemalt é.png"
    write_image(picture, np.full((64, 80, 3), (200, 40, 90), np.uint8))

    moved = session.reroll(
        job.id,
        [
            KeyframeChange(index=keys[1], kind="remove"),
            KeyframeChange(index=keys[1] + 1, kind="add"),
            KeyframeChange(index=keys[3], kind="replace", picture_path=str(picture)),
        ],
    )
    picture.unlink()
    events = list(session.watch(moved.id))
    again = session.reroll(moved.id, [KeyframeChange(index=0)])
    last = list(session.watch(again.id))[-1]
    unpainted = session.reroll(again.id, [KeyframeChange(index=keys[3], seed=5)]).settings

    assert isinstance(events[-1], Finished)
    assert unpainted is not None
    assert dict(unpainted.keyframe_pictures) == {}
    assert unpainted.keyframe_seeds[keys[3]] == 5
    assert isinstance(last, Finished)
    new_plan = session.job(moved.id).plan
    assert new_plan is not None
    expected = sorted({*keys, keys[1] + 1} - {keys[1]})
    assert list(new_plan.keyframes) == expected
    settings = session.job(again.id).settings
    assert settings is not None
    assert list(settings.keyframes) == expected
    assert list(settings.keyframe_pictures) == [keys[3]]
    shown = decode_png(session.frame(again.id, "keyframe", keys[3], AS_IT_IS).data)
    assert np.array_equal(shown, np.full((64, 80, 3), (200, 40, 90)))  # pyright: ignore[reportArgumentType]
    old, new = (_inodes(daemon, name) for name in (job.id, moved.id))
    kept = {name for name in new if new[name] == old.get(name)}
    assert {f"keyframes/{key:06d}.png" for key in keys if key not in (keys[1], keys[3])} <= kept
    assert f"frames/{keys[1]:06d}.png" not in kept


@pytest.mark.parametrize(
    ("change", "says"), [("replaced", "it was replaced"), ("removed", "there is no such file")]
)
def test_a_reroll_whose_clip_is_another_by_now_is_refused_at_once(
    daemon: DaemonProcess, session: Session, clip: Path, tmp_path: Path, change: str, says: str
) -> None:
    mine = tmp_path / "mine.mp4"
    mine.write_bytes(clip.read_bytes())
    job = _submit(session, mine)
    assert isinstance(list(session.watch(job.id))[-1], Finished)
    mine.unlink()
    if change == "replaced":
        write_clip(mine, scene(40))

    with pytest.raises(ClientError, match=says):
        session.reroll(job.id, [KeyframeChange(index=0)])

    assert [one.id for one in session.jobs()] == [job.id]
    assert len(list((daemon.data / "jobs").iterdir())) == 1


def _inodes(daemon: DaemonProcess, job_id: str) -> dict[str, int]:
    (folder,) = (daemon.data / "jobs").glob(f"{job_id}-*")
    pictures = [*folder.glob("*/*.png")]
    return {str(path.relative_to(folder)): path.stat().st_ino for path in pictures}


def test_only_keyframes_of_finished_jobs_are_rerolled(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    job = _submit(session, clip)

    with pytest.raises(NotPossibleNow, match="wait until it is done"):
        session.reroll(job.id, [KeyframeChange(index=0)])
    assert isinstance(list(session.watch(job.id))[-1], Finished)
    with pytest.raises(InvalidRequest, match="not a keyframe"):
        session.reroll(job.id, [KeyframeChange(index=1)])


def test_a_deleted_job_and_all_it_made_are_gone(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    job = _submit(session, clip)
    _wait_for_pictures(session, job)
    watch = iter(session.watch(job.id))
    next(watch)

    session.delete(job.id)

    assert list((slow_daemon.data / "jobs").iterdir()) == []
    with pytest.raises(NotFound):
        session.job(job.id)
    with suppress(NotFound):  # It may be gone before the news that it was cancelled is read.
        last = list(watch)[-1]
        assert isinstance(last, StateChanged)
        assert last.state is JobState.CANCELLED


def test_a_job_whose_worker_dies_again_and_again_fails_with_a_sentence(
    start_daemon: StartDaemon, clip: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--crash-at", "7"]))
    with daemon.session() as session:
        job = _submit(session, clip)

        events = list(session.watch(job.id))
        again = session.resume(job.id)

        assert isinstance(events[-1], Failed)
        assert "without getting further" in events[-1].failure.message
        assert events[-1].failure.reason == "WORKER_LOST"
        assert sum(isinstance(event, FrameReady) for event in events) == 7
        assert again.state is not JobState.FAILED
        assert session.server().version


def test_a_stopped_daemon_keeps_its_jobs_and_goes_on(
    slow_daemon: DaemonProcess, session: Session, clip: Path
) -> None:
    job = _submit(session, clip)
    _wait_for_pictures(session, job)

    code = slow_daemon.stop()
    with pytest.raises(DaemonUnreachable):
        session.server()
    slow_daemon.start()

    assert code == 0
    assert not (slow_daemon.data / "daemon.json").read_text().isspace()
    with slow_daemon.session() as later:
        assert isinstance(list(later.watch(job.id))[-1], Finished)


def test_what_a_client_wanted_is_not_forgotten_in_a_crash(
    start_daemon: StartDaemon, clip: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--step-s", "60"]))
    with daemon.session() as session:
        job = _submit(session, clip)
        _wait_for_state(session, job, JobState.TRANSLATING)
        session.pause(job.id)
        daemon.kill()
    daemon.start()

    with daemon.session() as session:
        assert session.job(job.id).state is JobState.PAUSED


def test_two_daemons_never_share_a_data_folder(daemon: DaemonProcess) -> None:
    second = DaemonProcess(daemon.data, daemon.settings)
    second.begin()

    assert second.process is not None
    assert second.process.wait(60) == 3
    assert "another daemon works in" in second.output
    assert daemon.announced["process_id"] == daemon.pid


def test_a_full_queue_says_so(start_daemon: StartDaemon, clip: Path) -> None:
    daemon = start_daemon(**with_fake_worker(SLOWLY), limits={"queued_jobs": 2})
    with daemon.session() as session:
        first = _submit(session, clip)
        _wait_for_pictures(session, first)
        _submit(session, clip)
        _submit(session, clip)

        with pytest.raises(LimitReached, match="try again later") as refusal:
            _submit(session, clip)

        assert refusal.value.reason == "QUEUE_FULL"


def test_an_idle_device_gives_its_memory_back_and_starts_again(
    start_daemon: StartDaemon, clip: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(), idle_unload_s=0.5)
    with daemon.session() as session:
        wait_for("the worker to end", lambda: not daemon.workers())

        assert session.server().devices[0].state == "stopped"
        assert isinstance(list(session.watch(_submit(session, clip).id))[-1], Finished)


def test_an_idle_daemon_ends_if_it_is_told_to(start_daemon: StartDaemon) -> None:
    daemon = start_daemon(**with_fake_worker(), idle_exit_s=1.0)

    assert daemon.process is not None
    assert daemon.process.wait(60) == 0
    assert not (daemon.data / "daemon.json").exists()


def test_room_is_made_from_fetched_results_only(start_daemon: StartDaemon, clip: Path) -> None:
    daemon = start_daemon(**with_fake_worker(), limits={"disk_bytes": 17 << 20})
    with daemon.session() as session:
        fetched, unfetched = (_submit(session, clip) for _ in range(2))
        for job in (fetched, unfetched):
            assert isinstance(list(session.watch(job.id))[-1], Finished)
        session.fetch_result(fetched.id, daemon.data.parent / "fetched.mp4")
        # Usage is measured every few seconds.
        filler = daemon.data / "uploads" / "filler"
        filler.write_bytes(bytes(2 << 20))
        time.sleep(5.1)

        with pytest.raises(LimitReached, match="give the daemon more room"):
            _submit(session, clip)
        # Nothing goes in vain.
        assert session.job(fetched.id).state is JobState.DONE
        files = [path for path in (daemon.data / "jobs").rglob("*") if path.is_file()]
        taken = sum(path.stat().st_size for path in files)
        filler.write_bytes(bytes((1 << 20) - taken + 4096))
        time.sleep(5.1)

        _submit(session, clip)

        with pytest.raises(NotFound):
            session.job(fetched.id)
        assert session.job(unfetched.id).state is JobState.DONE


def test_jobs_fail_with_a_sentence_where_no_worker_can_start(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    once = ["--start-once", str(tmp_path / "started")]
    daemon = start_daemon(**with_fake_worker(once), idle_unload_s=0.5)
    with daemon.session() as session:
        wait_for("the first worker to end", lambda: not daemon.workers())

        events = list(session.watch(_submit(session, clip).id))

        assert isinstance(events[-1], Failed)
        assert "does not start" in events[-1].failure.message
        assert "nothing works today" in events[-1].failure.log_tail
