"""The built plugin in real Blenders, with real daemons."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blender.blenders import (
    MODULES,
    Blender,
    Plugin,
    blender_of,
    build_plugin,
    chosen_versions,
    prepare,
)
from tests.blender.numbers import write_numbered
from tests.integration.conftest import StartDaemon, start_daemon
from tests.integration.daemons import DaemonProcess, with_fake_worker

__all__ = ["start_daemon"]
COUNT = 40


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fetch Blenders before the first test, as that takes longer than a test may."""
    if session.config.option.collectonly:
        return
    if any("version" in getattr(item, "fixturenames", ()) for item in session.items):
        for version in set(chosen_versions()) & set(MODULES):
            prepare(version)


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Plugin:
    """The zip, as the build command makes it."""
    return build_plugin(tmp_path_factory.mktemp("plugin with spaces é"))


@pytest.fixture(
    scope="session",
    params=chosen_versions()
    or [pytest.param("none", marks=pytest.mark.skip(reason="FRESCO_BLENDER is none"))],
)
def version(request: pytest.FixtureRequest) -> str:
    """A version of Blender."""
    return request.param


@pytest.fixture
def blender(version: str, plugin: Plugin, tmp_path: Path) -> Blender:
    """A Blender with a home of its own."""
    return blender_of(version, plugin, tmp_path / "home é")


@pytest.fixture(scope="session")
def numbered_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames that carry their number, at 24 a second."""
    return write_numbered(tmp_path_factory.mktemp("clips") / "numbered é.mp4", COUNT)


@pytest.fixture
def daemon(start_daemon: StartDaemon) -> DaemonProcess:
    """A real daemon whose worker makes negatives."""
    return start_daemon(**with_fake_worker())


@pytest.fixture
def slow_daemon(start_daemon: StartDaemon) -> DaemonProcess:
    """A real daemon whose jobs take some seconds."""
    return start_daemon(**with_fake_worker(["--step-s", "0.15", "--frame-s", "0.03"]))
