"""The command line at real daemons, beside itself without one."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from fresco_cli.app import app
from fresco_client import JobState, Session
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image

from tests.engine.conftest import scene, write_clip
from tests.fakes.tiny_detectors import tiny_clipseg, write_network
from tests.integration.conftest import StartDaemon
from tests.integration.daemons import wait_for, with_fake_worker

_QUICK = ("--size", "64", "--steps", "2", "--keyframes", "4:8", "--device", "cpu")
_TRIES = 5
_SIGNALS = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no such signals between processes"
)


@dataclass(frozen=True)
class Ended:
    """How the program ended and what it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout."""
        return [json.loads(line) for line in self.stdout.splitlines()]


def fresco(*arguments: str | Path) -> Ended:
    """Run the program to its end."""
    process = _begin(*arguments)
    stdout, stderr = process.communicate(timeout=120)
    return Ended(process.returncode, stdout, stderr)


def here(*arguments: str | Path) -> Ended:
    """Run the program in this process, which has loaded torch already."""
    said, wrong = io.StringIO(), io.StringIO()
    with redirect_stdout(said), redirect_stderr(wrong), pytest.raises(SystemExit) as end:
        app([str(text) for text in arguments], prog_name="fresco")
    return Ended(int(end.value.code or 0), said.getvalue(), wrong.getvalue())


# As in a terminal: what is started in the background, the tests too, may inherit it ignored.
_PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
from fresco_cli.__main__ import main
main()
"""


def _begin(*arguments: str | Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def _process_of(data: Path) -> int:
    return int(json.loads((data / "daemon.json").read_text("utf-8"))["process_id"])


@pytest.fixture(scope="module")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve frames of 64 x 48."""
    folder = tmp_path_factory.mktemp("Größe 雪")
    return write_clip(folder / "it's a clip.mp4", scene(12, size=(64, 48)))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of a daemon of the whole module, begun by the first command that needs it."""
    folder = tmp_path_factory.mktemp("daemon") / "data"
    yield folder
    if (folder / "daemon.json").exists():
        process = psutil.Process(_process_of(folder))
        process.terminate()
        process.wait(30)


Restyle = Callable[..., Ended]


@pytest.fixture
def restyle(data: Path, small_clip: Path, tiny_model_folder: Path) -> Restyle:
    """Restyles the small clip with the tiny model at the daemon, or in its own process."""

    def run(output: Path, *options: str | Path, local: bool = False) -> Ended:
        where = ("--local",) if local else ("--data", data)
        return (here if local else fresco)(
            *("restyle", small_clip, "-o", output, "-p", "ink", "--model", tiny_model_folder),
            *(*_QUICK, *where, *options),
        )

    return run


def test_at_the_daemon_a_clip_becomes_what_it_becomes_without_one(
    restyle: Restyle, tmp_path: Path
) -> None:
    made: dict[bool, dict[str, bytes]] = {}
    reports: dict[bool, dict[str, Any]] = {}
    for local in (False, True):
        folder = tmp_path / str(local)
        folder.mkdir()
        ended = restyle(
            *(folder / "out 雪.mkv", "--lossless", "--json", "--save-keyframes", folder / "keys"),
            *("--report", folder / "r.json"),
            local=local,
        )
        assert ended.code == 0, ended.stderr
        assert ended.lines[-1]["event"] == "finished"
        reports[local] = json.loads((folder / "r.json").read_text("utf-8"))
        (folder / "r.json").unlink()
        files = (path for path in folder.rglob("*") if path.is_file())
        made[local] = {str(path.relative_to(folder)): path.read_bytes() for path in files}

    assert made[False] == made[True]
    for name in ("settings", "keyframes", "shots", "working_size", "metrics", "model", "clip"):
        assert reports[False][name] == reports[True][name], name


def test_pictures_from_the_daemon_are_those_made_without_one(
    restyle: Restyle, tmp_path: Path
) -> None:
    for local in (False, True):
        (tmp_path / str(local)).mkdir()
        ended = restyle(tmp_path / str(local) / "f_%03d.png", "--quiet", local=local)
        assert (ended.code, ended.stdout, ended.stderr) == (0, "", "")

    at_daemon, here = (
        {path.name: path.read_bytes() for path in (tmp_path / str(local)).iterdir()}
        for local in (False, True)
    )
    assert sorted(here) == [f"f_{index:03d}.png" for index in range(12)]
    assert at_daemon == here


def test_a_subject_named_in_words_is_found_beside_the_model_at_the_daemon_and_without_one(
    restyle: Restyle, tiny_model_folder: Path, tmp_path: Path
) -> None:
    model = shutil.copytree(tiny_model_folder, tmp_path / "model")
    # It finds the subject all over, which is told.
    write_network(tiny_clipseg(odds=100), model / "detectors" / "subject")
    local, sent = tmp_path / "local", tmp_path / "sent"

    for folder in (local, sent):
        folder.mkdir()
        ended = restyle(
            *(folder / "out.mkv", "--lossless", "--no-optimisation", "--model", model),
            *("--subject", "the red square"),
            local=folder == local,
        )
        assert ended.code == 0, ended.stderr
        assert "“the red square” was not found in keyframes 0 to " in ended.stderr
        assert "other words for --subject may find it" in ended.stderr

    assert (local / "out.mkv").read_bytes() == (sent / "out.mkv").read_bytes()


def test_a_detached_job_is_watched_fetched_and_made_anew(
    restyle: Restyle, data: Path, tmp_path: Path
) -> None:
    job_id = restyle(tmp_path / "out.mp4", "--detach").stdout.strip()
    assert not (tmp_path / "out.mp4").exists()

    watched = fresco("jobs", "watch", job_id[:10], "--data", data, "--json")
    fetched = fresco("jobs", "fetch", job_id[:10], "-o", tmp_path / "a.mp4", "--data", data)
    anew = fresco("jobs", "reroll", job_id, "--keyframe", "0", "--seed", "0=77", "--data", data)
    again = fresco("jobs", "fetch", anew.stdout.strip(), "-o", tmp_path / "b.mp4", "--data", data)

    assert watched.lines[-1]["event"] == "finished"
    assert (fetched.code, anew.code, again.code) == (0, 0, 0), again.stderr
    assert Clip.open(tmp_path / "a.mp4").info.frame_count == 12
    assert (tmp_path / "a.mp4").read_bytes() != (tmp_path / "b.mp4").read_bytes()
    with Session.open(data, start=False) as session:
        jobs = {job.id: job for job in session.jobs()}
    result = jobs[job_id].result
    assert result is not None
    assert result.is_fetched
    assert jobs[anew.stdout.strip()].parent_id == job_id


def test_a_look_at_the_daemon_is_the_look_without_one(
    data: Path, small_clip: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    wanted = ("look", small_clip, "--frame", "4", "-p", "ink", "--size", "64")

    for run, where in ((fresco, ("--data", data)), (here, ("--local",))):
        output = tmp_path / f"{where[0]}.png"
        ended = run(*wanted, "-o", output, "--model", tiny_model_folder, *where)
        assert ended.code == 0, ended.stderr

    assert (tmp_path / "--data.png").read_bytes() == (tmp_path / "--local.png").read_bytes()


def test_what_the_daemon_says_of_itself_is_shown(data: Path) -> None:
    Session.open(data, command=[sys.executable, "-m", "fresco_cli"]).close()

    status = fresco("status", "--data", data, "--json")
    listed = fresco("models", "list", "--data", data, "--json")
    second = fresco("serve", "--data", data)

    assert json.loads(status.stdout)["process_id"] == _process_of(data)
    assert json.loads(listed.stdout)[0]["state"] == "bundled"
    assert second.code == 3
    assert "another daemon works in" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_neither_proxies_nor_a_language_with_commas_come_between_command_and_daemon(
    data: Path,
    small_clip: Path,
    tiny_model_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
        for either in (name, name.upper()):
            monkeypatch.setenv(either, "socks5h://127.0.0.1:9")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    output = tmp_path / "look.png"

    ended = fresco(
        *("look", small_clip, "--frame", "4", "-p", "ink", "--size", "64", "--strength", "0,5"),
        *("-o", output, "--model", tiny_model_folder, "--data", data),
    )

    assert ended.code == 0, ended.stderr
    assert output.exists()


@_SIGNALS
def test_ctrl_c_cancels_the_job_and_leaves_nothing_half_written(
    start_daemon: StartDaemon, small_clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(**with_fake_worker(["--frame-s", "0.5"]))
    folder = tmp_path / "results"
    folder.mkdir()
    process = _begin(
        *("restyle", small_clip, "-o", folder / "out.mp4", "-p", "ink", "--json"),
        *("--data", daemon.data),
    )
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["event"] == "frame":
            break

    process.send_signal(signal.SIGINT)
    rest, stderr = process.communicate(timeout=60)

    assert process.returncode == 130
    assert json.loads(rest.splitlines()[-1])["event"] == "cancelled"
    assert stderr == "Stopped; nothing half-written was left behind.\n"
    assert list(folder.iterdir()) == []
    with daemon.session() as session:
        assert [job.state for job in session.jobs()] == [JobState.CANCELLED]


@_SIGNALS
def test_a_command_goes_on_when_its_daemon_was_killed(
    small_clip: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    wanted = (
        *("restyle", small_clip, "-p", "ink", "--lossless", "--model", tiny_model_folder),
        *_QUICK,
    )
    undisturbed = here(*wanted, "-o", tmp_path / "a.mkv", "--local", "--quiet")
    process, stderr = None, ""
    for count in range(1, _TRIES + 1):
        process = _begin(*wanted, "-o", tmp_path / "b.mkv", "--overwrite", "--data", data)
        wait_for("the job to begin", lambda count=count: _has_begun(data, count))
        os.kill(_process_of(data), signal.SIGKILL)
        _, stderr = process.communicate(timeout=120)
        if process.returncode or "reconnecting for" in stderr:
            break  # Else a busy machine had it done before its daemon was killed.
    stopped = fresco("stop", "--data", data)

    assert undisturbed.code == 0
    assert process is not None
    assert process.returncode == 0, stderr
    assert "The connection to the daemon was lost; reconnecting for" in stderr
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()
    assert stopped.code == 0, stopped.stderr
    assert not (data / "daemon.json").exists()


def _has_begun(data: Path, count: int) -> bool:
    """Whether that many jobs have come and the newest waits no more; asked without disturbing."""
    if not (data / "daemon.json").exists():
        return False
    with Session.open(data, start=False) as session:
        jobs = list(session.jobs())
    return len(jobs) == count and jobs[0].state is not JobState.QUEUED


def test_a_daemon_that_may_read_nothing_is_sent_the_clip(
    start_daemon: StartDaemon, small_clip: Path, tmp_path: Path
) -> None:
    daemon = start_daemon(roots=[], **with_fake_worker())
    elsewhere = ("--daemon", daemon.announced["address"], "--token-file", daemon.data / "token")
    frames = tmp_path / "frames"
    frames.mkdir()
    for frame in Clip.open(small_clip).frames(0, 3):
        write_image(frames / f"{frame.index:04d}.png", frame.image)

    sent = fresco("restyle", small_clip, "-o", tmp_path / "a.mp4", "-p", "ink", *elsewhere)
    refused = fresco("restyle", frames, "-o", tmp_path / "b.mp4", "-p", "ink", *elsewhere)
    wrong = tmp_path / "wrong"
    shutil.copy(daemon.data / "token", wrong)
    wrong.write_text("not-the-daemons-token", encoding="utf-8")
    stranger = fresco("status", *elsewhere[:2], "--token-file", wrong)

    assert sent.code == 0, sent.stderr
    assert Clip.open(tmp_path / "a.mp4").info.frame_count == 12
    assert refused.code == 2
    assert "only single files can be sent to it" in refused.stderr
    assert stranger.code == 2
    assert "does not accept this token" in stranger.stderr


def test_what_the_daemon_finds_wrong_is_said_as_without_one(
    restyle: Restyle, tmp_path: Path
) -> None:
    ended = restyle(tmp_path / "out.mp4", "--model", tmp_path / "no model", "--json")

    assert ended.code == 2
    assert ended.lines[-1]["event"] == "failed"
    assert list(tmp_path.iterdir()) == []
