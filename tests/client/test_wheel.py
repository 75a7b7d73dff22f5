"""The wheel that hosts bundle stands alone."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
from google.protobuf.internal import api_implementation
import fresco_client, fresco_settings, fresco.v1.jobs_pb2
assert api_implementation.Type() == "python"
assert fresco_client.__file__.startswith(sys.argv[1]), fresco_client.__file__
assert fresco.v1.__file__.startswith(sys.argv[1]), fresco.v1.__file__
assert fresco_settings.__file__.startswith(sys.argv[1]), fresco_settings.__file__
try:
    fresco_client.Session.connect("127.0.0.1:1", transport="pure")
except fresco_client.DaemonUnreachable as error:
    print(error)
"""


def project(path: Path) -> tuple[str, set[str]]:
    """Version and requirements; Python 3.10 reads no TOML."""
    text = path.read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "(.+)"$', text, re.MULTILINE)
    (block,) = re.findall(r"^dependencies = \[\n(.+?)^\]", text, re.MULTILINE | re.DOTALL)
    return version, set(re.findall(r'"(.+)"', block))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built wheel."""
    if importlib.util.find_spec("hatchling") is None:
        pytest.skip("hatchling is not there")
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--quiet", "--wheel-dir", str(folder)]
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", *options, str(ROOT / "client")],
        check=True,
        timeout=120,
    )
    (path,) = folder.iterdir()
    return path


def test_it_holds_the_client_the_settings_and_the_contract_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    folders = {name.partition("/")[0] for name in names}
    assert folders == {
        "fresco",
        "fresco_client",
        "fresco_settings",
        "fresco_client-0.1.0.dist-info",
    }
    assert "fresco/v1/jobs_pb2.py" in names
    assert "fresco_client/transport/pure.py" in names
    assert "fresco_client/py.typed" in names
    assert not [name for name in names if name.endswith((".so", ".pyd", ".pyc"))]


def test_it_is_for_every_platform_and_small(wheel: Path) -> None:
    assert wheel.name.endswith("-py3-none-any.whl")
    assert wheel.stat().st_size < 200_000


def test_it_runs_alone_without_anything_compiled(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    environment = {
        **os.environ,
        "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python",
        "PYTHONPATH": str(tmp_path),
    }

    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "cannot be reached" in ended.stdout, ended.stderr


def test_version_and_requirements_are_those_of_the_whole() -> None:
    version, requirements = project(ROOT / "client" / "pyproject.toml")
    version_of_whole, requirements_of_whole = project(ROOT / "pyproject.toml")

    assert version == version_of_whole
    assert requirements
    assert requirements <= requirements_of_whole
