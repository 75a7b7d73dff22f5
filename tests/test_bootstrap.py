"""Setting Fresco up: what is decided, what is said, what is left alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import bootstrap
from bootstrap import BootstrapError, PipError, TorchSource

ROOT = Path(__file__).parents[1]


class FakePip:
    """Has only the requirements it was given, from the indexes it was given."""

    def __init__(self, *there: tuple[str, str | None], problem: str = "") -> None:
        self.there = there
        self.problem = problem or "ERROR: No matching distribution found for torch"
        self.asked: list[tuple[str, str | None]] = []

    def __call__(self, title: str, *arguments: str) -> None:
        given = list(arguments)
        index = given[given.index("--index-url") + 1] if "--index-url" in given else None
        self.asked.append((given[-1], index))
        if (given[-1], index) not in self.there:
            raise PipError(bootstrap.reason_of(self.problem), self.problem)


def test_the_torch_that_is_installed_is_one_the_project_allows() -> None:
    requirements = pytest.importorskip("packaging.requirements")
    lines = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    wanted = next(line.strip().strip('",') for line in lines if line.strip().startswith('"torch'))

    assert requirements.Requirement(wanted).specifier.contains(bootstrap.TORCH_VERSION)


def test_the_pythons_named_are_those_the_project_allows() -> None:
    oldest, newest = bootstrap.OLDEST_PYTHON, bootstrap.NEWEST_PYTHON
    wanted = f'requires-python = ">={oldest[0]}.{oldest[1]},<{newest[0]}.{newest[1] + 1}"'

    assert wanted in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0), (2, 7, 18)])
def test_a_python_that_is_too_old_or_too_new_is_refused(version: tuple[int, ...]) -> None:
    with pytest.raises(BootstrapError, match=r"needs Python 3\.10 to 3\.13, and this is Python"):
        bootstrap.check_python(version, "CPython")


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 11, 7), (3, 13, 1)])
def test_the_pythons_in_between_are_accepted(version: tuple[int, ...]) -> None:
    bootstrap.check_python(version, "CPython")


def test_a_python_of_another_kind_is_refused() -> None:
    with pytest.raises(BootstrapError, match="this is PyPy"):
        bootstrap.check_python((3, 11, 7), "PyPy")


def test_linux_without_gpu_asks_for_the_cpu_build_wherever_it_may_be() -> None:
    sources = bootstrap.torch_sources("Linux", "x86_64", "cpu")

    assert [source.requirement.endswith("+cpu") for source in sources] == [True, True, False]
    assert [source.index for source in sources] == [None, bootstrap.CPU_INDEX, None]


def test_gigabytes_of_cuda_never_come_without_a_word() -> None:
    *_, last = bootstrap.torch_sources("Linux", "x86_64", "cpu")

    assert "several gigabytes" in last.note


@pytest.mark.parametrize(
    ("system", "machine"), [("Darwin", "arm64"), ("Windows", "AMD64")], ids=["macOS", "Windows"]
)
def test_macs_and_windows_get_the_usual_build(system: str, machine: str) -> None:
    plain = f"torch=={bootstrap.TORCH_VERSION}"

    assert bootstrap.torch_sources(system, machine, "cpu") == (TorchSource(plain),)


def test_a_gpu_on_linux_never_gets_a_local_cpu_build() -> None:
    (source,) = bootstrap.torch_sources("Linux", "x86_64", "cuda")

    assert source.requirement == f"torch==={bootstrap.TORCH_VERSION}"


def test_macs_with_intel_processors_are_told_so() -> None:
    with pytest.raises(BootstrapError, match="Intel"):
        bootstrap.torch_sources("Darwin", "x86_64", "cpu")


def test_torch_comes_from_the_first_source_that_has_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = bootstrap.torch_sources("Linux", "x86_64", "cpu")
    pip = FakePip((sources[1].requirement, bootstrap.CPU_INDEX))

    bootstrap.install_torch(sources, pip)

    assert pip.asked == [(source.requirement, source.index) for source in sources[:2]]
    assert capsys.readouterr().err == ""


def test_an_unreachable_index_leads_to_the_general_build_with_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    sources = bootstrap.torch_sources("Linux", "x86_64", "cpu")
    pip = FakePip((sources[2].requirement, None), problem="NewConnectionError(...)")

    bootstrap.install_torch(sources, pip)

    assert len(pip.asked) == 3
    assert "several gigabytes" in capsys.readouterr().err


def test_any_other_failure_is_not_followed_by_another_attempt() -> None:
    sources = bootstrap.torch_sources("Linux", "x86_64", "cpu")
    pip = FakePip(problem="OSError: [Errno 28] No space left on device")

    with pytest.raises(PipError, match="disk is full"):
        bootstrap.install_torch(sources, pip)

    assert len(pip.asked) == 1


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("Retrying ... NewConnectionError('x')", "package index cannot be reached"),
        ("ERROR: Connection broken: IncompleteRead", "goes on where it stopped"),
        ("OSError: [Errno 28] No space left on device", "The disk is full"),
        ("InvalidSchema: Missing dependencies for SOCKS support.", "install FILE"),
        ("ERROR: something odd", "ERROR: something odd"),
    ],
)
def test_a_failure_of_pip_becomes_a_sentence(output: str, sentence: str) -> None:
    assert sentence in bootstrap.reason_of(output)


def test_the_progress_line_tells_what_is_loaded_and_how_far(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = bootstrap.ProgressLine("Getting torch")

    line.read("Collecting torch==2.13.0")
    line.read("  Downloading torch-2.13.0-cp311-cp311-linux_x86_64.whl (200 MB)")
    line.read("Progress 50000000 of 200000000")
    line.last_shown = float("-inf")
    line.show()

    assert "torch 25 % of 200 MB" in capsys.readouterr().err


MakeStamp = Callable[..., None]


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeStamp:
    """An environment that works, with the stamp a test wants."""
    folder = tmp_path / ".venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    pip = next(folder.glob("[lL]ib*/**/site-packages")) / "pip"
    pip.mkdir()
    (pip / "__init__.py").write_text('__version__ = "26.0"\n', encoding="utf-8")
    monkeypatch.setattr(bootstrap, "VENV", folder)
    monkeypatch.setattr(bootstrap, "STAMP", folder / "stamp.json")

    def stamp(**values: Any) -> None:
        (folder / "stamp.json").write_text(json.dumps(values), encoding="utf-8")

    return stamp


def test_a_finished_environment_is_left_alone(environment: MakeStamp) -> None:
    environment(fingerprint="f", tests=True)

    assert bootstrap.is_set_up("f", with_tests=True)
    assert bootstrap.is_set_up("f", with_tests=False)


def test_an_environment_without_test_tools_is_not_enough_for_tests(environment: MakeStamp) -> None:
    environment(fingerprint="f", tests=False)

    assert bootstrap.is_set_up("f", with_tests=False)
    assert not bootstrap.is_set_up("f", with_tests=True)


def test_an_environment_is_looked_at_again_when_the_project_changed(
    environment: MakeStamp,
) -> None:
    environment(fingerprint="old", tests=True)

    assert not bootstrap.is_set_up("new", with_tests=False)


def test_an_environment_whose_python_is_gone_is_not_trusted(environment: MakeStamp) -> None:
    environment(fingerprint="f", tests=True)
    bootstrap.venv_python(bootstrap.VENV).unlink()

    assert not bootstrap.is_set_up("f", with_tests=False)


def test_a_broken_stamp_counts_as_none(environment: MakeStamp) -> None:
    environment()
    bootstrap.STAMP.write_text('{"finger', encoding="utf-8")

    assert not bootstrap.is_set_up("f", with_tests=False)


def test_the_fingerprint_tells_builds_apart() -> None:
    assert bootstrap.fingerprint("cpu") == bootstrap.fingerprint("cpu")
    assert bootstrap.fingerprint("cpu") != bootstrap.fingerprint("cuda")


def test_too_little_room_is_said_before_anything_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda place: _Usage())

    with pytest.raises(BootstrapError, match=r"needs about 2\.5 GB .* only 1\.0 GB are free"):
        bootstrap.check_disk("cpu")


class _Usage:
    total, used, free = 2_000_000_000, 1_000_000_000, 1_000_000_000


def test_arguments_after_the_command_belong_to_the_program() -> None:
    options = bootstrap.parse(["--torch", "cpu", "run", "--", "restyle", "a b.mp4", "--torch"])

    assert (options.torch, options.command) == ("cpu", "run")
    assert options.rest == ["restyle", "a b.mp4", "--torch"]


def test_an_unknown_command_ends_with_code_2() -> None:
    with pytest.raises(SystemExit) as end:
        bootstrap.main(["dance"])

    assert end.value.code == 2


def test_plugins_are_ready_before_any_daemon_has_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "venv_python", lambda _: Path(sys.executable))
    monkeypatch.setenv("FRESCO_DATA", str(tmp_path / "data"))

    bootstrap.prepare_plugins()

    kept = json.loads((tmp_path / "data" / "program.json").read_text("utf-8"))
    assert kept["command"] == [sys.executable, "-m", "fresco_cli"]
    assert "fresco-blender-0.1.0.zip" in capsys.readouterr().err
    assert list((ROOT / "dist").glob("fresco-blender-*.zip"))


def test_a_plugin_that_cannot_be_made_is_no_more_than_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "venv_python", lambda _: Path(sys.executable))
    monkeypatch.setattr(bootstrap, "ROOT", Path("/nowhere"))
    monkeypatch.setattr(bootstrap, "NOTE_PROGRAM", "pass")

    bootstrap.prepare_plugins()

    assert "Blender's plugin could not be made" in capsys.readouterr().err
