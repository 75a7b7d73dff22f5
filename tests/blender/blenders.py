"""Real Blenders: as Python modules in environments of their own, made when first needed.

`FRESCO_BLENDER` chooses which: "4.5" (the default), "4.2,5.0", "all", "none", or "program", which
is the installed Blender. Modules are kept in `build/blender`, which git ignores. A Blender that
cannot be had is skipped with the reason.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from tests.integration.daemons import wait_for

ROOT = Path(__file__).parents[2]
INSIDE = Path(__file__).parent / "inside"
PLACE = ROOT / "build" / "blender"
MODULES = {"4.2": "bpy==4.2.23", "4.5": "bpy==4.5.15", "5.0": "bpy==5.0.1"}
"""Versions of Blender that PyPI has as modules; all of them are for Python 3.11."""
PYTHON = (3, 11)
PROGRAM = "program"
DEFAULT = "4.5"
_RESULT = "SCENARIO-RESULT "


def chosen_versions() -> list[str]:
    """What `FRESCO_BLENDER` asks for."""
    asked = os.environ.get("FRESCO_BLENDER", DEFAULT)
    if asked == "none":
        return []
    return [*MODULES] if asked == "all" else [name.strip() for name in asked.split(",")]


def _right_python() -> str | None:
    """A Python of the version that the modules are made for."""
    if sys.version_info[:2] == PYTHON:
        return getattr(sys, "_base_executable", sys.executable)
    return shutil.which(f"python{PYTHON[0]}.{PYTHON[1]}")


def _python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@cache
def prepare(version: str) -> str:
    """Make sure that this Blender is there; why it cannot be had, or nothing.

    Several hundred megabytes are fetched the first time.
    """
    PLACE.mkdir(parents=True, exist_ok=True)
    with FileLock(PLACE / f"{version}.lock"):  # Tests run in several processes.
        return _installed(version)


def _installed(version: str) -> str:
    folder = PLACE / version
    mark = folder / "complete"
    if mark.exists() and mark.read_text("utf-8") == MODULES[version]:
        return ""
    base = _right_python()
    if base is None:
        return f"Blender {version} as a module needs Python {PYTHON[0]}.{PYTHON[1]}"
    shutil.rmtree(folder, ignore_errors=True)
    command = [str(_python_in(folder)), "-m", "pip", "install", "--quiet", "numpy<2"]
    for step in ([base, "-m", "venv", str(folder)], [*command, MODULES[version]]):
        ended = subprocess.run(step, capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            return f"{MODULES[version]} cannot be installed: {ended.stderr.strip()[-300:]}"
    mark.write_text(MODULES[version], "utf-8")
    return ""


def module_python(version: str) -> Path:
    """The Python of an environment that has this Blender; skips the test where there is none."""
    reason = prepare(version)
    if reason:
        pytest.skip(reason)
    return _python_in(PLACE / version)


@dataclass(frozen=True)
class Plugin:
    """What the build makes."""

    path: Path


def build_plugin(folder: Path) -> Plugin:
    """The zip, as the build command makes it."""
    spec = importlib.util.spec_from_file_location("build", ROOT / "plugins/blender/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Plugin(module.build(folder))


@dataclass(frozen=True)
class Blender:
    """A Blender that plays scenarios, each in a process of its own and a home of its own."""

    command: tuple[str, ...]
    plugin: Plugin | None
    """None if it is installed already."""
    home: Path

    def begin(self, module: str, scenario: str, data: Path | None, **arguments: Any) -> Playing:
        """Start a scenario of a module in `inside`; `data` None: the home's own data folder."""
        wanted = {
            "module": module,
            "scenario": scenario,
            "data": str(data or ""),
            "plugin": str(self.plugin.path) if self.plugin else "",
            "arguments": {name: _plain(value) for name, value in arguments.items()},
        }
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
            "BLENDER_USER_RESOURCES": str(self.home / "resources"),
            "HOME": str(self.home),
            "PYTHONFAULTHANDLER": "1",  # a Blender that crashes says where
        }
        self.home.mkdir(parents=True, exist_ok=True)
        process = subprocess.Popen(
            [*self.command, json.dumps(wanted)],
            env=environment,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        return Playing(process)

    def play(self, module: str, scenario: str, data: Path | None, **arguments: Any) -> Any:
        """Play a scenario to its end; what it gives back."""
        return self.begin(module, scenario, data, **arguments).result()


def blender_program() -> str | None:
    """The installed Blender: what `FRESCO_BLENDER_PROGRAM` names, else the one on the path."""
    return os.environ.get("FRESCO_BLENDER_PROGRAM") or shutil.which("blender")


def blender_of(version: str, plugin: Plugin, home: Path) -> Blender:
    """A Blender without a window: a module, or the installed program."""
    if version == PROGRAM:
        program = blender_program()
        if program is None:
            pytest.skip("blender is not installed")
        script = ("--python", str(INSIDE / "stage.py"), "--")
        return Blender((program, "--background", "--factory-startup", *script), plugin, home)
    return Blender((str(module_python(version)), str(INSIDE / "stage.py")), plugin, home)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


@dataclass(frozen=True)
class Playing:
    """A scenario that is being played."""

    process: subprocess.Popen[str]

    def wait_for(self, what: str, mark: Path) -> None:
        """Wait until it makes the file `mark`; fails with its output once it has ended without."""
        wait_for(what, lambda: mark.exists() or self.process.poll() is not None)
        if not mark.exists():
            raise AssertionError(f"it ended before {what}: {self.result()}")

    def result(self, patience_s: float = 500.0) -> Any:
        """What it gives back; fails with its output if it fails."""
        try:
            output, _ = self.process.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            output, _ = self.process.communicate()
            raise AssertionError(f"Blender did not end:\n{output[-6000:]}") from None
        found = [line for line in output.splitlines() if line.startswith(_RESULT)]
        assert self.process.returncode == 0, output[-6000:]
        assert found, output[-6000:]
        # What fails while a panel is drawn or a timer runs is only printed.
        rest = "\n".join(line for line in output.splitlines() if line not in found)
        assert "Traceback" not in rest, rest[-6000:]
        return json.loads(found[-1][len(_RESULT) :])
