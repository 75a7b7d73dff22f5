"""Whatever is sent to a real daemon, it answers as the contract says, and goes on working."""

from __future__ import annotations

from pathlib import Path

from fresco_client import ClipSource, Finished, OutputOptions, RestyleSettings

from tests.fakes.fuzzer import Target, fuzz
from tests.integration.conftest import StartDaemon
from tests.integration.daemons import with_fake_worker

CALLS = 300


def test_a_real_daemon_bears_every_call_and_still_restyles(
    start_daemon: StartDaemon, clip: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(clip.read_bytes()[:700])
    daemon = start_daemon(**with_fake_worker())
    source, settings = ClipSource(path=str(clip)), RestyleSettings(prompt="a negative", size=64)
    with daemon.session() as session:
        jobs = [session.submit(source, settings, job_id=f"job{number}") for number in range(4)]
        assert isinstance(list(session.watch(jobs[0].id))[-1], Finished)
        target = Target(
            job_ids=tuple(job.id for job in jobs),
            paths=(str(clip), str(damaged), "/etc/passwd", str(daemon.data / "jobs.sqlite3")),
            skipped=frozenset({"PullModel"}),
        )

        fuzz(daemon.announced["address"], daemon.announced["token"], target, examples=CALLS)

        frames = OutputOptions(kind="frames")
        last = session.submit(source, settings, output=frames, is_urgent=True)
        assert isinstance(list(session.watch(last.id))[-1], Finished)
    assert "Traceback" not in daemon.output
    assert " ERROR " not in daemon.output
