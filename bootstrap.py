"""From a bare Python to a restyled clip: makes `.venv` next to this file, then runs Fresco in it.

    python bootstrap.py demo            restyle the sample clip that comes with Fresco
    python bootstrap.py test            run the whole test suite
    python bootstrap.py setup           only make the environment
    python bootstrap.py run -- ARGS     run `fresco ARGS`

Standard library only. Running it again is safe at any time: what is complete is left alone, and
what a broken download left behind is finished.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "fresco-bootstrap.json"

OLDEST_PYTHON = (3, 10)
NEWEST_PYTHON = (3, 13)
TORCH_VERSION = "2.13.0"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
CUDA_INDEX = "https://download.pytorch.org/whl/cu130"
LIBRARIES = "torch, diffusers, transformers, av, cv2, scipy, numba, typer, rich"
ON_ALL_CORES = ("-n", "auto", "--dist", "worksteal")  # of pytest-xdist; "-n 0" undoes it
OLDEST_PIP = (25, 1)  # the first with --group and with resumed downloads
DISK_NEEDED_GB = {"cpu": 2.5, "cuda": 9.0}
NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ConnectionResetError"
    r"|Connection broken|IncompleteRead|ProxyError|SSLError|Temporary failure|incomplete-download"
)
NO_SOCKS = re.compile(r"Missing dependencies for SOCKS support")
NO_SUCH_VERSION = re.compile(r"No matching distribution found|Could not find a version")
NO_ROOM = re.compile(r"No space left on device|not enough space|Errno 28")


class BootstrapError(Exception):
    """Setting up failed; the message is what the person at the keyboard can do about it."""


class PipError(BootstrapError):
    """pip ended with an error; `output` holds its last lines."""

    def __init__(self, message: str, output: str) -> None:
        super().__init__(message)
        self.output = output


@dataclass(frozen=True)
class TorchSource:
    """One way to get torch: what to ask pip for, where, and what to tell the user first."""

    requirement: str
    index: str | None = None
    note: str = ""


def say(text: str) -> None:
    """A line for the user, on stderr so that stdout stays the program's own."""
    print(text, file=sys.stderr, flush=True)


# Deciding what to install


def check_python(version: tuple[int, ...], implementation: str) -> None:
    """Raises: BootstrapError when this Python cannot run Fresco."""
    wanted = (
        f"Python {OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]} to {NEWEST_PYTHON[0]}.{NEWEST_PYTHON[1]}"
    )
    found = ".".join(str(part) for part in version[:2])
    if not OLDEST_PYTHON <= tuple(version[:2]) <= NEWEST_PYTHON:
        raise BootstrapError(
            f"Fresco needs {wanted}, and this is Python {found}; install one of these and start "
            "this script with it."
        )
    if implementation != "CPython":
        raise BootstrapError(
            f"Fresco needs the usual CPython, and this is {implementation}; get {wanted} from "
            "python.org and start this script with it."
        )


def has_nvidia_gpu() -> bool:
    """Whether an NVIDIA GPU answers; a driver without a device does not count."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    try:
        answer = subprocess.run(
            [program, "-L"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and "GPU " in answer.stdout


def torch_sources(system: str, machine: str, build: str) -> tuple[TorchSource, ...]:
    """Where torch may come from on this kind of machine, best first; `build` is cpu or cuda."""
    plain = f"torch=={TORCH_VERSION}"
    if system == "Darwin" and machine == "x86_64":
        raise BootstrapError(
            "PyTorch is no longer made for Macs with Intel processors, so Fresco cannot run here."
        )
    if build == "cuda" and system == "Windows":
        slow = "No CUDA build of PyTorch could be had, so the CPU build is installed; it is slower."
        return (
            TorchSource(f"{plain}+cu130", CUDA_INDEX),
            TorchSource(plain, note=slow),
        )
    if build == "cuda":
        # Three equal signs leave out local builds such as 2.13.0+cpu, which "==" would prefer.
        return (TorchSource(f"torch==={TORCH_VERSION}"),)
    if system == "Linux":
        large = (
            "The CPU build of PyTorch cannot be reached, so the general build is installed: it "
            "brings CUDA packages of several gigabytes which this machine has no use for. "
            "Press Ctrl-C if that is too much."
        )
        return (
            TorchSource(f"{plain}+cpu"),
            TorchSource(f"{plain}+cpu", CPU_INDEX),
            TorchSource(plain, note=large),
        )
    return (TorchSource(plain),)


def fingerprint(build: str) -> str:
    """Changes whenever the environment has to be looked at again."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), TORCH_VERSION, build, str(ROOT)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.encode())
        digest.update(b"\0")
    return digest.hexdigest()


# The environment


def venv_python(folder: Path) -> Path:
    """The interpreter inside a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def is_set_up(mark: str, *, with_tests: bool) -> bool:
    """Whether an earlier run finished everything that is needed now."""
    try:
        stamp = json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    complete = stamp.get("fingerprint") == mark and (stamp.get("tests") or not with_tests)
    return bool(complete) and venv_works(VENV)


def venv_works(folder: Path) -> bool:
    """Whether the environment's Python starts, is its own, and has pip."""
    python = venv_python(folder)
    if not python.exists():
        return False
    script = "import sys, pip; print(sys.prefix)"
    try:
        answer = subprocess.run(
            [str(python), "-c", script], capture_output=True, text=True, timeout=120, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0 and Path(answer.stdout.strip()).resolve() == folder.resolve()


def make_venv(folder: Path) -> None:
    """Makes the environment, or keeps the one that is there and works."""
    if venv_works(folder):
        return
    say(f"Making a virtual environment in {folder} ...")
    answer = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if answer.returncode == 0:
        return
    output = answer.stdout + answer.stderr
    if "ensurepip" in output:
        raise BootstrapError(
            "This Python cannot make virtual environments; install its venv package (on Debian and "
            "Ubuntu: sudo apt install python3-venv), then run this again."
        )
    raise BootstrapError(f"The virtual environment could not be made:\n{output.strip()}")


def check_disk(build: str) -> None:
    """Raises: BootstrapError when the installation would certainly not fit."""
    free = shutil.disk_usage(ROOT).free / 1e9
    needed = DISK_NEEDED_GB[build]
    if free < needed:
        raise BootstrapError(
            f"Fresco needs about {needed:.1f} GB for its libraries, and only {free:.1f} GB are "
            f"free at {ROOT}; free some room, then run this again."
        )


# pip


class ProgressLine:
    """One line that says what pip is doing; on a terminal it is rewritten in place."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.began = time.monotonic()
        self.is_terminal = sys.stderr.isatty()
        self.last_shown = self.began
        self.subject = ""
        self.share = ""
        if not self.is_terminal:
            say(f"{title} ...")

    def read(self, line: str) -> None:
        """Takes one line of pip's output."""
        amount = re.match(r"Progress (\d+) of (\d+)", line)
        if amount:
            total = max(int(amount[2]), 1)
            self.share = f" {100 * int(amount[1]) // total} % of {total / 1e6:.0f} MB"
            return
        found = re.match(r"\s*(?:Collecting|Downloading|Processing|Using cached) (\S+)", line)
        if found:
            self.subject, self.share = found[1].rsplit("/", 1)[-1].split("-")[0], ""
        elif line.startswith("Installing collected packages"):
            self.subject, self.share = "unpacking", ""

    def show(self) -> None:
        """Refreshes the line: twice a second on a terminal, twice a minute elsewhere."""
        now = time.monotonic()
        if now - self.last_shown < (0.5 if self.is_terminal else 30):
            return
        self.last_shown = now
        text = f"{self.title}: {self.subject}{self.share} ({now - self.began:.0f} s)"
        if self.is_terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r" + text[:width].ljust(width))
            sys.stderr.flush()
        else:
            say(f"  still at it: {self.subject}{self.share} ({now - self.began:.0f} s)")

    def end(self, outcome: str) -> None:
        """Closes the line."""
        text = f"{self.title}: {outcome} ({time.monotonic() - self.began:.0f} s)"
        if self.is_terminal:
            width = shutil.get_terminal_size().columns - 1
            sys.stderr.write("\r" + text[:width].ljust(width) + "\n")
        else:
            say(f"  {outcome} ({time.monotonic() - self.began:.0f} s)")


def pip(title: str, *arguments: str) -> None:
    """Runs pip in the environment and shows one line of progress.

    Raises:
        PipError: pip failed; its last lines are kept.
    """
    command = [
        *(str(venv_python(VENV)), "-m", "pip", "install", "--no-input"),
        *("--disable-pip-version-check", "--no-warn-script-location", *arguments),
    ]
    line = ProgressLine(title)
    tail: deque[str] = deque(maxlen=25)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    try:
        for text in lines_of(process, line):
            line.read(text)
            if not text.startswith("Progress ") and "is ignored: it is neither" not in text:
                tail.append(text)
    finally:
        if process.poll() is None:
            process.terminate()
        code = process.wait()
    line.end("done" if code == 0 else "failed")
    if code != 0:
        output = "\n".join(tail)
        raise PipError(reason_of(output), output)


def lines_of(process: subprocess.Popen[str], line: ProgressLine) -> Iterator[str]:
    """The output of a process line by line; `line` is refreshed while there is none."""
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for text in stream:
                lines.put(text.rstrip())
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    while True:
        line.show()
        try:
            text = lines.get(timeout=0.5)
        except queue.Empty:
            continue
        if text is None:
            return
        yield text


def reason_of(output: str) -> str:
    """One sentence on why pip failed."""
    if NO_ROOM.search(output):
        return "The disk is full; free some room, then run the same command again."
    if NO_SOCKS.search(output):
        return (
            "pip cannot use a SOCKS proxy by itself. Name an HTTP proxy in HTTPS_PROXY, or fetch "
            "the package PySocks on another machine and install that file first: "
            f"{venv_python(VENV)} -m pip install FILE. Then run the same command again."
        )
    if NO_NETWORK.search(output):
        return (
            "The package index cannot be reached; check the network connection (and a proxy, if "
            "there is one), then run the same command again: it goes on where it stopped."
        )
    return f"pip could not install what Fresco needs; the end of its output was:\n{output}"


def upgrade_pip() -> None:
    """Makes sure that pip can read dependency groups and go on with broken downloads."""
    answer = subprocess.run(
        [str(venv_python(VENV)), "-c", "import pip; print(pip.__version__)"],
        capture_output=True,
        text=True,
        check=False,
    )
    version = tuple(int(part) for part in re.findall(r"\d+", answer.stdout)[:2])
    if version < OLDEST_PIP:
        pip("Updating pip", "--upgrade", f"pip>={OLDEST_PIP[0]}.{OLDEST_PIP[1]}")


def install_torch(sources: tuple[TorchSource, ...], run_pip: Callable[..., None]) -> None:
    """Installs torch from the first source that has it."""
    common = ("--progress-bar", "raw", "--resume-retries", "5", "--retries", "2")
    for source in sources:
        if source.note:
            say(source.note)
        where: tuple[str, ...] = ()
        if source.index is not None:
            # Only torch itself from there: its dependencies come from the usual index.
            where = ("--index-url", source.index, "--no-deps", "--timeout", "15")
        try:
            run_pip(f"Getting {source.requirement}", *common, *where, source.requirement)
            return
        except PipError as error:
            is_unavailable = NO_SUCH_VERSION.search(error.output) or NO_NETWORK.search(error.output)
            if not is_unavailable or source is sources[-1]:
                raise


def install_project(*, with_tests: bool) -> None:
    """Installs Fresco in place with its libraries, and the test tools where wanted."""
    tools = ("--group", "test") if with_tests else ()
    title = "Installing Fresco and its libraries" + (" and test tools" if with_tests else "")
    pip(title, "--progress-bar", "raw", "--resume-retries", "5", "--editable", ".[gui]", *tools)


def install(build: str, *, with_tests: bool) -> None:
    """Everything that pip does; what is there already is left alone."""
    make_venv(VENV)
    upgrade_pip()
    install_torch(torch_sources(platform.system(), platform.machine(), build), pip)
    install_project(with_tests=with_tests)


def import_failure() -> str:
    """What goes wrong when the large libraries are loaded; empty when nothing does.

    pip trusts its own records, so it does not see that files are missing after a killed
    installation.
    """
    answer = subprocess.run(
        [str(venv_python(VENV)), "-c", f"import {LIBRARIES}"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if answer.returncode == 0 else answer.stderr[-1500:].strip()


def set_up(build: str, *, with_tests: bool) -> None:
    """Brings the environment up to date; instant when nothing changed."""
    mark = fingerprint(build)
    if is_set_up(mark, with_tests=with_tests):
        return
    check_disk(build)
    STAMP.unlink(missing_ok=True)
    install(build, with_tests=with_tests)
    if import_failure():
        say("Something in the environment is damaged, so it is made afresh.")
        shutil.rmtree(VENV)
        install(build, with_tests=with_tests)
    failure = import_failure()
    if failure:
        raise BootstrapError(f"The libraries are installed but do not load:\n{failure}")
    stamp = {"fingerprint": mark, "tests": with_tests, "torch": build}
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")


NOTE_PROGRAM = (
    "import sys; from fresco_client.places import data_folder; "
    "from fresco_server.program import note_program; "
    "note_program(data_folder(), (sys.executable, '-m', 'fresco_cli'))"
)


def prepare_plugins() -> None:
    """Blender's plugin in `dist`, and where plugins find Fresco, before any daemon has run.

    Fresco works without either, so a failure is no more than a sentence.
    """
    build = (str(ROOT / "plugins" / "blender" / "build.py"), "-o", str(ROOT / "dist"))
    for what, arguments in (("Blender's plugin", build), ("Fresco's place", ("-c", NOTE_PROGRAM))):
        command = [str(venv_python(VENV)), *arguments]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode == 0 and made.stdout:
            say(f"{what}: {made.stdout.strip()}")
        elif made.returncode != 0:
            lines = made.stderr.strip().splitlines()
            say(f"{what} could not be made: {lines[-1] if lines else 'it is not known why'}")


# Running


def run_in_venv(*arguments: str) -> int:
    """Runs a module of the environment and gives back its exit code."""
    process = subprocess.Popen([str(venv_python(VENV)), "-m", *arguments])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The program got the same Ctrl-C and cleans up; its exit code is what counts.
            continue


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="bootstrap.py",
        description="Makes Fresco's environment in .venv and runs Fresco in it.",
    )
    parser.add_argument(
        "--torch",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="which PyTorch to install; auto takes CUDA where an NVIDIA GPU answers",
    )
    parser.add_argument("command", choices=("demo", "test", "setup", "run"))
    parser.add_argument(
        "rest", nargs=argparse.REMAINDER, help="arguments of fresco, of its demo, or of pytest"
    )
    options = parser.parse_args(arguments)
    # Python's versions differ in whether they leave the separator in place.
    options.rest = options.rest[1:] if options.rest[:1] == ["--"] else options.rest
    return options


def start(options: argparse.Namespace) -> int:
    """Sets up what the command needs and runs it."""
    rest, build = options.rest, options.torch
    if build == "auto":
        build = "cuda" if has_nvidia_gpu() else "cpu"
    set_up(build, with_tests=options.command == "test")
    if options.command == "setup":
        prepare_plugins()
        say(f"Ready: start Fresco with {venv_python(VENV).parent / 'fresco'}")
        return 0
    if options.command == "test":
        os.chdir(ROOT)
        return run_in_venv("pytest", *ON_ALL_CORES, *rest)
    if options.command == "demo":
        return run_in_venv("fresco_cli", "demo", *rest)
    return run_in_venv("fresco_cli", *rest)


def main(arguments: list[str] | None = None) -> int:
    """The exit code: 0 or the program's own; 1 when setting up failed; 130 after Ctrl-C."""
    try:
        check_python(sys.version_info[:3], platform.python_implementation())
        return start(parse(sys.argv[1:] if arguments is None else arguments))
    except BootstrapError as error:
        say(f"\n{error}")
        return 1
    except KeyboardInterrupt:
        say("\nStopped; run the same command again to go on.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
