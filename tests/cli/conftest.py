"""A small clip, an engine without a model, and a way to run the command line in this process."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fresco_cli.app import app
from fresco_cli.daemons import Tools
from fresco_server.local.engine import InProcessEngine

from tests.fakes.engine import FakeEngine
from tests.fakes.session import FakeConnect, RecordingSession


@dataclass(frozen=True)
class Ended:
    """How a run of the command line ended and what it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The JSON objects on stdout."""
        return [json.loads(line) for line in self.stdout.splitlines()]


Fresco = Callable[..., Ended]


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Twelve frames of 64 x 48: a bright square that moves to the right."""
    return write_clip(tmp_path / "clip.mp4")


def write_clip(path: Path, frame_count: int = 12) -> Path:
    """A small video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for index in range(frame_count):
            picture = np.full((48, 64, 3), 60, np.uint8)
            picture[16:32, 2 * index : 2 * index + 16] = 200
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def engine(clip: Path) -> FakeEngine:
    """An engine without a model whose sample clip is `clip`."""
    return FakeEngine(sample=clip)


@pytest.fixture(autouse=True)
def data(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder in which no daemon runs, instead of the user's own."""
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setenv("FRESCO_DATA", str(folder))
    return folder


@pytest.fixture
def session(engine: FakeEngine, tmp_path_factory: pytest.TempPathFactory) -> RecordingSession:
    """A session whose jobs the fake engine does."""
    return RecordingSession(engine, tmp_path_factory.mktemp("daemon"))


@pytest.fixture
def connect(session: RecordingSession) -> FakeConnect:
    """Gives out the session."""
    return FakeConnect(session)


@pytest.fixture
def fresco(engine: FakeEngine, connect: FakeConnect, capsys: pytest.CaptureFixture[str]) -> Fresco:
    """Runs `fresco` with the arguments given, with the fakes unless another engine is named."""

    def run(*arguments: str | Path, using: InProcessEngine | None = None) -> Ended:
        capsys.readouterr()
        tools = Tools(using or engine, connect)
        with pytest.raises(SystemExit) as end:
            app([str(text) for text in arguments], prog_name="fresco", obj=tools)
        said = capsys.readouterr()
        return Ended(int(end.value.code or 0), said.out, said.err)

    return run
