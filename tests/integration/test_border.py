"""Real daemons and peers that mean them no good, all on this machine and in small numbers."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fakes.caller import Caller
from fresco.v1 import clips_pb2, media_pb2
from fresco_client import (
    CallFailed,
    ClipSource,
    Forbidden,
    InvalidRequest,
    JobState,
    NotPossibleNow,
    RestyleSettings,
    Session,
)
from fresco_media.stills.images import write_image
from grpc_health.v1 import health_pb2

from tests.integration.conftest import StartDaemon
from tests.integration.daemons import DaemonProcess, wait_for, with_fake_worker

SETTINGS = RestyleSettings(prompt="a negative", size=64)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder below which clients may name clips."""
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def daemon(start_daemon: StartDaemon, root: Path) -> DaemonProcess:
    """A daemon with one root, whose jobs take a while."""
    return start_daemon(roots=[str(root)], **with_fake_worker(["--step-s", "0.2"]))


@pytest.fixture
def session(daemon: DaemonProcess) -> Iterator[Session]:
    """A client of it."""
    with daemon.session() as session:
        yield session


def _pictures(folder: Path) -> Path:
    folder.mkdir()
    for number in range(6):
        write_image(folder / f"frame_{number}.png", np.full((64, 64, 3), 40 * number, np.uint8))
    return folder


def test_a_picture_that_leads_outside_the_roots_is_refused(
    session: Session, root: Path, tmp_path: Path
) -> None:
    private = _pictures(tmp_path / "private")
    shot = _pictures(root / "shot")
    (shot / "frame_3.png").unlink()
    (shot / "frame_3.png").symlink_to(private / "frame_3.png")

    with pytest.raises(NotPossibleNow, match="outside the folders"):
        session.describe_clip(ClipSource(path=str(shot)))


def test_a_clip_that_becomes_a_link_while_its_job_waits_is_not_read(
    session: Session, root: Path, tmp_path: Path, clip: Path
) -> None:
    private = shutil.copy(clip, tmp_path / "private.mp4")
    for name in ("first.mp4", "second.mp4"):
        shutil.copy(clip, root / name)
    session.submit(ClipSource(path=str(root / "first.mp4")), SETTINGS)
    job = session.submit(ClipSource(path=str(root / "second.mp4")), SETTINGS)

    (root / "second.mp4").unlink()
    (root / "second.mp4").symlink_to(private)
    failed = wait_for("the job to end", lambda: _ended(session, job.id))

    assert failed.state is JobState.FAILED
    assert "outside the folders" in str(failed.failure)


def test_a_folder_that_becomes_a_link_while_its_job_waits_is_not_read(
    session: Session, root: Path, tmp_path: Path, clip: Path
) -> None:
    private = _pictures(tmp_path / "private")
    shot = _pictures(root / "shot")
    shutil.copy(clip, root / "first.mp4")
    session.submit(ClipSource(path=str(root / "first.mp4")), SETTINGS)
    job = session.submit(ClipSource(path=str(shot)), SETTINGS)

    shot.rename(root / "moved")
    shot.symlink_to(private)
    failed = wait_for("the job to end", lambda: _ended(session, job.id))

    assert failed.state is JobState.FAILED


def _ended(session: Session, job_id: str) -> object:
    job = session.job(job_id)
    return job if job.state.is_ended else None


def test_clips_are_described_while_others_take_for_ever(
    session: Session, root: Path, clip: Path
) -> None:
    shutil.copy(clip, root / "clip.mp4")
    for number in range(2):
        (root / f"slow{number}.mp4").write_bytes(b"slow")
        threading.Thread(target=_ask, args=(session, root / f"slow{number}.mp4")).start()

    infos = [session.describe_clip(ClipSource(path=str(root / "clip.mp4"))) for _ in range(2)]

    assert [info.frame_count for info in infos] == [40, 40]


def _ask(session: Session, path: Path) -> None:
    with contextlib.suppress(Exception):
        session.describe_clip(ClipSource(path=str(path)))


@pytest.mark.parametrize("text", ["/dev/zero", "/proc/self/environ", "/clip\0.mp4", "x" * 9000])
def test_odd_paths_are_refused(session: Session, root: Path, text: str) -> None:
    path = text if text.startswith("/dev") or text.startswith("/proc") else f"{root}{text}"

    with pytest.raises((Forbidden, InvalidRequest)):
        session.describe_clip(ClipSource(path=path))


def test_connections_that_say_nothing_leave_descriptors_for_the_work(
    start_daemon: StartDaemon, clip: Path
) -> None:
    daemon = start_daemon(most_files=256, **with_fake_worker())
    caller = Caller(daemon.announced["address"], daemon.announced["token"])
    assert _is_healthy(caller)
    host, port = daemon.announced["address"].rsplit(":", 1)

    with contextlib.ExitStack() as held:
        for _ in range(300):
            held.enter_context(socket.create_connection((host, int(port)), timeout=20))
        described = caller.clips.DescribeClip(
            clips_pb2.DescribeClipRequest(clip=media_pb2.ClipSource(path=str(clip)))
        )

        assert described.info.frame_count == 40
        assert _is_healthy(caller)
        wait_for("a new connection to be answered", lambda: _answers_anew(daemon))
    caller.close()


def _answers_anew(daemon: DaemonProcess) -> bool:
    caller = Caller(daemon.announced["address"], daemon.announced["token"])
    try:
        return _is_healthy(caller)
    except Exception:  # noqa: BLE001
        return False
    finally:
        caller.close()


def _is_healthy(caller: Caller) -> bool:
    answer = caller.health.Check(health_pb2.HealthCheckRequest(service=""), timeout=3)
    return answer.status == health_pb2.HealthCheckResponse.SERVING


def test_log_lines_cannot_be_forged(session: Session, daemon: DaemonProcess, root: Path) -> None:
    name = "a\n2026-01-01 00:00:00,000 ERROR fresco_server.daemon: forged\x1b[2J.mp4"
    (root / name).write_bytes(b"no clip")

    with pytest.raises(CallFailed) as caught:
        session.describe_clip(ClipSource(path=str(root / name)))

    log = (daemon.data / "daemon.log").read_text("utf-8")
    assert "forged" in log
    assert "\x1b" not in log
    assert not any(" ERROR " in line and line.startswith("2026-01-01") for line in log.split("\n"))
    assert "\n" not in str(caught.value)
