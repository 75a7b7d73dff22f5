"""The program as the system starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresco_cli.faults import kind_of
from fresco_engine import __version__
from fresco_engine.errors import FrescoError
from fresco_media.clip import Clip
from fresco_media.stills.images import encode_image
from fresco_server.errors import reason_of
from fresco_server.local.engine import InProcessEngine

from tests.cli.conftest import Fresco
from tests.engine.conftest import scene, write_clip
from tests.fakes.daemon import TOKEN, FakeDaemon
from tests.fakes.tiny_models import write_model_folder

_SLOW_PROGRAM = """
import signal
import time

# As in a terminal: what is started in the background, the tests too, may inherit them ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

import fresco_cli.app as commands
from fresco_cli import __main__ as program
from fresco_cli.daemons import Tools
from fresco_server.local.engine import InProcessEngine

class SlowEngine(InProcessEngine):
    def load_model(self, source, **named):
        return None

    def render(self, clip, output, settings, model, **named):
        from fresco_media.writing.writer import open_writer

        with open_writer(output, clip) as writer:
            for frame in clip.frames():
                writer.write(frame)
                print("working", flush=True)
                time.sleep(30)
                yield frame

app = commands.app
commands.app = lambda arguments, prog_name: app(arguments, obj=Tools(SlowEngine()))
program.main()
"""


@pytest.mark.parametrize("command", ["plain", "missing trust"])
def test_nothing_of_grpcs_stands_before_the_sentence(tmp_path: Path, command: str) -> None:
    """A daemon without TLS, and one whose certificate another authority made."""
    folder = Path(__file__).parents[1] / "client" / "data"
    tls = None if command == "plain" else (folder / "daemon.pem", folder / "daemon.key")
    daemon = FakeDaemon(tls=tls)
    token = tmp_path / "token"
    token.write_text(TOKEN)
    token.chmod(0o600)

    ended = _python(
        *("-m", "fresco_cli", "status", "--daemon", f"localhost:{daemon.port}"),
        *("--token-file", str(token), "--tls-cert", str(folder / "another.pem")),
    )

    daemon.stop()
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: ")
    assert ended.stderr.count("\n") == 1


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=120, check=False
    )


def test_help_loads_neither_torch_nor_codecs() -> None:
    script = (
        "import sys; from fresco_cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "print('LOADED', sorted({'torch', 'diffusers', 'av', 'cv2', 'scipy'} & set(sys.modules)))"
    )

    ended = _python("-c", script)

    assert "restyle" in ended.stdout
    assert ended.stdout.splitlines()[-1] == "LOADED []"


def test_keyframes_are_planned_without_torch(clip: Path) -> None:
    script = (
        "import sys; from fresco_cli.app import app\n"
        "try: app(['keyframes', sys.argv[1]])\n"
        "except SystemExit: pass\n"
        "print('LOADED', sorted({'torch', 'diffusers', 'scipy'} & set(sys.modules)))"
    )

    ended = _python("-c", script, str(clip))

    assert "keyframes of 12 frames" in ended.stdout, ended.stderr
    assert ended.stdout.splitlines()[-1] == "LOADED []"


def test_the_version_is_shown() -> None:
    ended = _python("-m", "fresco_cli", "--version")

    assert (ended.returncode, ended.stdout) == (0, f"fresco {__version__}\n")


def test_an_unknown_command_ends_with_code_2() -> None:
    ended = _python("-m", "fresco_cli", "restile")

    assert ended.returncode == 2
    assert "restile" in ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals between processes")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_cancels_and_leaves_nothing_half_written(
    clip: Path, tmp_path: Path, name: str
) -> None:
    script = tmp_path / "program.py"
    script.write_text(_SLOW_PROGRAM, encoding="utf-8")
    process = subprocess.Popen(
        [
            *(sys.executable, str(script), "restyle", str(clip)),
            *("-o", str(tmp_path / "out.mp4"), "--prompt", "ink", "--quiet", "--local"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    time.sleep(0.2)

    process.send_signal(signal.Signals[name])
    _, stderr = process.communicate(timeout=60)

    assert process.returncode == 130
    assert stderr == "Stopped; nothing half-written was left behind.\n"
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "program.py"}


# Ends itself by Ctrl-C while the module that it names is imported by the program that it names.
_INTERRUPTED_IMPORT = """
import builtins, os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
package, imported, *sys.argv[1:] = sys.argv[1:]
find = builtins.__import__
def interrupted(name, *rest, **named):
    if name.split(".")[0] == imported:
        os.kill(os.getpid(), signal.SIGINT)
    return find(name, *rest, **named)
builtins.__import__ = interrupted
runpy.run_module(package, run_name="__main__")
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals between processes")
@pytest.mark.parametrize(
    "arguments",
    [
        ("fresco_cli", "typer", "doctor"),
        ("fresco_cli", "fresco_engine", "--version"),
        ("fresco_cli", "torch", "restyle", "CLIP", "-o", "OUT", "--prompt", "ink", "--local"),
        ("fresco_cli", "fresco_server", "serve", "--data", "DATA"),
        ("fresco_gui", "PyQt6", "CLIP"),
        ("fresco_gui", "argparse"),
        ("fresco_training", "argparse", "--help"),
    ],
    ids=["typer", "engine", "torch", "daemon", "Qt", "app", "training"],
)
def test_ctrl_c_while_a_program_loads_shows_no_traceback(
    clip: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    names = {"CLIP": clip, "OUT": tmp_path / "out.mp4", "DATA": tmp_path / "data"}

    ended = _python("-c", _INTERRUPTED_IMPORT, *(str(names.get(name, name)) for name in arguments))

    assert ended.returncode == 130
    assert ended.stderr == "Stopped; nothing half-written was left behind.\n"


def test_the_real_engine_restyles_a_clip_from_end_to_end(
    fresco: Fresco, clip: Path, tmp_path: Path
) -> None:
    model = write_model_folder(tmp_path / "model")
    output = tmp_path / "out.mp4"

    ended = fresco(
        *(
            "restyle",
            clip,
            "-o",
            output,
            "-p",
            "ink",
            "--local",
            "--model",
            model,
            "--control",
            "none",
        ),
        *("--size", "64", "--steps", "2", "--device", "cpu", "--report", tmp_path / "r.json"),
        using=InProcessEngine(),
    )

    assert ended.code == 0, ended.stderr
    made, source = Clip.open(output), Clip.open(clip)
    assert made.info.frame_count == source.info.frame_count
    assert made.info.frame_rate == source.info.frame_rate
    assert (made.info.width, made.info.height) == (64, 48)
    assert (tmp_path / "r.json").exists()


def test_every_error_keeps_its_kind_on_the_way_through_a_session() -> None:
    def below(kind: type[FrescoError]) -> Iterator[str]:
        for one in kind.__subclasses__():
            yield one.__name__
            yield from below(one)

    for name in below(FrescoError):
        assert kind_of(reason_of(name)) == name


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is full")
@pytest.mark.parametrize(
    "words",
    [["models", "list"], ["models", "list", "--json"], ["keyframes", "clip.mp4"], ["--help"]],
    ids=" ".join,
)
def test_a_full_disk_below_stdout_is_one_sentence(words: list[str], tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", scene(3))
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "fresco_cli", *words],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )

    assert ended.returncode == 1
    assert ended.stderr == (
        "Error: what was to be printed could not be written (No space left on device); "
        "free some room or print it elsewhere, then run again\n"
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is full")
def test_no_work_ends_because_nobody_can_be_told_of_it(tmp_path: Path) -> None:
    frames = scene(3)
    clip, keys, result = tmp_path / "clip.mp4", tmp_path / "keys", tmp_path / "result.mp4"
    write_clip(clip, frames)
    keys.mkdir()
    (keys / "0.png").write_bytes(encode_image(frames[0], ".png"))
    words = ["propagate", str(clip), str(keys), "--fast", "-o", str(result)]

    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "fresco_cli", *words],
            stdout=full,
            stderr=full,
            timeout=300,
            check=False,
        )

    assert ended.returncode == 1
    assert result.exists()


@pytest.mark.skipif(os.name == "nt", reason="a shell of Windows closes no streams")
def test_files_do_not_take_the_place_of_closed_streams(tmp_path: Path) -> None:
    program = (
        "import os\n"
        "from fresco_cli import app as commands, __main__ as program\n"
        "def app(arguments, prog_name):\n"
        "    with open('opened', 'w') as file:\n"
        "        os.write(1, b'from a library')\n"
        "        os.write(2, b'from a library')\n"
        "        print('from a command')\n"
        "        file.write(str(file.fileno() > 2))\n"
        "commands.app = app\n"
        "program.main()\n"
    )

    subprocess.run(
        ["sh", "-c", '"$0" -c "$1" <&- >&- 2>&-', sys.executable, program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=120,
        check=True,
    )

    assert (tmp_path / "opened").read_text() == "True"
