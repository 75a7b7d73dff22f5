"""Real daemons and the clips they restyle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.engine.conftest import scene, write_clip
from tests.fakes.tiny_models import write_model_folder
from tests.integration.daemons import DaemonProcess

StartDaemon = Callable[..., DaemonProcess]


@pytest.fixture
def start_daemon(tmp_path: Path) -> Iterator[StartDaemon]:
    """Starts daemons, each in a folder of its own unless named alike; keywords are settings."""
    daemons: list[DaemonProcess] = []

    def start(
        name: str = "daemon", most_files: int | None = None, **settings: Any
    ) -> DaemonProcess:
        daemon = DaemonProcess(tmp_path / name / "data", settings, most_files=most_files)
        daemons.append(daemon)
        return daemon.start()

    yield start
    for daemon in daemons:
        daemon.stop_whatever()


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Forty frames of 80 x 64 with a cut, losslessly stored."""
    path = tmp_path_factory.mktemp("clips") / "clip with spaces é.mp4"
    return write_clip(path, scene(40, cut_at=26))


@pytest.fixture(scope="session")
def tiny_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model with tiny random networks, as a folder."""
    return write_model_folder(
        tmp_path_factory.mktemp("tiny"),
        vae="tiny",
        channels=4,
        card={
            "name": "tiny",
            "controls": {"tile": "controlnet"},
            "defaults": {"control": "tile", "steps": 3, "guidance_scale": 2.0, "strength": 0.7},
        },
    )
