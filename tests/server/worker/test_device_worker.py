"""The worker of a device with an engine of the test's."""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from fresco_client.events import Event, Failed, Finished
from fresco_engine import types as engine
from fresco_engine.errors import OutputNotWritable
from fresco_engine.settings import RestyleSettings
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.messages import JobStopped, NamingFiles, RunJob
from fresco_server.lock import alone_in
from fresco_server.worker.channel import Channel
from fresco_server.worker.device_worker import DeviceWorker
from fresco_server.worker.files import file_states

from tests.engine.conftest import scene, write_clip
from tests.fakes.worker import NegativeEngine


class _Ended(Exception):
    """There are no more orders."""


class _Line:
    """Gives one order and keeps what is answered."""

    def __init__(self, order: RunJob) -> None:
        self.orders = [order]
        self.sent: list[Any] = []

    def next(self, timeout_s: float | None = None) -> RunJob | None:
        if not self.orders:
            if timeout_s == 0:
                return None
            raise _Ended
        return self.orders.pop()

    def send(self, message: Any) -> None:
        self.sent.append(message)


class _Engine:
    """Sees whether another process could work in the job's folder."""

    is_alone = False

    def render(self, run: RunJob) -> Generator[engine.Event, None, None]:
        try:
            with alone_in(Path(run.folder), 0.0):
                pass
        except OutputNotWritable:
            self.is_alone = True
        yield from ()


@pytest.mark.skipif(os.name == "nt", reason="folders cannot be locked there")
def test_a_job_is_done_by_one_worker_at_a_time(tmp_path: Path) -> None:
    order = RunJob(job="a", folder=str(tmp_path), order=JobOrder(clip="c", settings={}), restarts=0)
    line, seeing = _Line(order), _Engine()

    with pytest.raises(_Ended):
        DeviceWorker(cast(Channel, line), cast(Any, seeing)).serve()

    assert seeing.is_alone
    assert line.sent == [JobStopped(job="a")]
    with alone_in(tmp_path, 0.0):
        pass


def _done(order: RunJob) -> Event:
    """How a job ends without a model."""
    line = _Line(order)
    with pytest.raises(_Ended):
        DeviceWorker(cast(Channel, line), NegativeEngine(0, 0, None)).serve()
    return line.sent[-1].event


@pytest.fixture
def job(tmp_path: Path) -> RunJob:
    """A job of a clip and a mask, as they are described."""
    clip, mask = tmp_path / "clip.mp4", tmp_path / "mask.png"
    write_clip(clip, scene(6))
    write_image(mask, np.full((64, 80, 3), 255, np.uint8))
    order = JobOrder(
        clip=str(clip),
        settings=RestyleSettings(prompt="x", size=64, subject_mask=str(mask)).as_dict(),
        codec="frames",
        clip_state=Clip.open(clip).state,
        mask_state=Clip.open(mask).state,
    )
    folder = tmp_path / "job"
    folder.mkdir()
    return RunJob(job="a", folder=str(folder), order=order, restarts=0)


NAMED = {
    "sd/unet/config.json": "model.source",
    "control.safetensors": "model.control_source",
    "mine.safetensors": "model.loras.path",
    "models/vae/soft.safetensors": "model.vae",
    "models/lora/ink.safetensors": "prompt",
    "models/embeddings/easy.pt": "prompt",
    "flow.safetensors": "flow",
    "painted.png": "keyframe_pictures",
}
"""Files that a job names, and the setting that does."""


@pytest.fixture
def naming_job(job: RunJob, tmp_path: Path) -> RunJob:
    """A job that names files in every way there is."""
    for name in NAMED:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    write_image(tmp_path / "painted.png", np.full((64, 80, 3), 90, np.uint8))
    model = ModelOrder(
        source=str(tmp_path / "sd"),
        control_source=str(tmp_path / "control.safetensors"),
        loras=((str(tmp_path / "mine.safetensors"), 1.0),),
        vae="soft",
        folders=(str(tmp_path / "models"),),
    )
    settings = RestyleSettings(
        prompt="a town <lora:ink:0.8>, easy",
        size=64,
        flow=f"gmflow:{tmp_path / 'flow.safetensors'}",
        keyframe_pictures={2: str(tmp_path / "painted.png")},
    ).as_dict()
    states = file_states(NamingFiles(model=model, settings=settings))
    order = replace(job.order, model=model, settings=settings, file_states=states)
    return replace(job, order=order)


@pytest.mark.parametrize("how", ["overwritten", "gone"])
@pytest.mark.parametrize(("name", "field"), NAMED.items())
def test_a_named_file_that_is_another_one_by_now_ends_its_job_until_it_is_brought_back(
    naming_job: RunJob, tmp_path: Path, name: str, field: str, how: str
) -> None:
    path = tmp_path / name
    content = path.read_bytes()
    if how == "overwritten":
        path.write_bytes(content[::-1])
    else:
        path.unlink()

    failed = _done(naming_job)
    path.write_bytes(content)
    done = _done(naming_job)

    assert isinstance(failed, Failed)
    assert failed.failure.reason == "FILE_CHANGED"
    assert failed.failure.can_resume
    assert failed.failure.field == field
    assert failed.failure.message.startswith(f"{path}: it was ")
    assert "bring" in failed.failure.message
    assert isinstance(done, Finished)


@pytest.mark.parametrize("name", ["clip.mp4", "mask.png"])
@pytest.mark.parametrize("how", ["replaced", "overwritten", "cut off", "gone"])
def test_a_clip_or_mask_that_is_another_one_by_now_ends_its_job_until_it_is_brought_back(
    job: RunJob, tmp_path: Path, name: str, how: str
) -> None:
    path = tmp_path / name
    content = path.read_bytes()
    if how == "replaced":
        other = tmp_path / f"other{path.suffix}"
        if name == "mask.png":
            write_image(other, np.full((64, 80, 3), 200, np.uint8))
        else:
            write_clip(other, scene(6, cut_at=3))
        other.replace(path)
    elif how == "gone":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if how == "cut off" else content[::-1])

    failed = _done(job)
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    done = _done(job)

    assert isinstance(failed, Failed)
    assert failed.failure.can_resume
    assert name in failed.failure.message
    assert failed.failure.field == ("subject_mask" if name == "mask.png" else "")
    if how == "replaced":
        assert failed.failure.reason == "CLIP_CHANGED"
        assert "bring back what was there" in failed.failure.message
    assert isinstance(done, Finished)
