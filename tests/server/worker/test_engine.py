"""What a worker does with the real engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.tiny_models import write_lora, write_model_folder
from fresco_engine.errors import FileChanged
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import ClipAnalysed, Progress
from fresco_media.clip import Clip
from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.messages import NamingFiles, RunJob
from fresco_server.worker.engine import DeviceEngine
from fresco_server.worker.files import file_states

from tests.engine.conftest import scene, write_clip


def test_a_lora_that_is_replaced_before_a_job_gets_to_it_is_never_used(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", scene(6))
    lora = tmp_path / "ink.safetensors"
    write_lora(lora)
    model = ModelOrder(
        source=str(write_model_folder(tmp_path / "sd", vae="tiny", controlnet=False)),
        loras=((str(lora), 0.5),),
    )
    settings = RestyleSettings(
        prompt="ink", size=64, steps=1, control="none", keyframes=(2,)
    ).as_dict()
    order = JobOrder(
        clip=str(tmp_path / "clip.mp4"),
        settings=settings,
        model=model,
        codec="frames",
        clip_state=Clip.open(tmp_path / "clip.mp4").state,
        file_states=file_states(NamingFiles(model=model, settings=settings)),
    )
    run = RunJob(job="a", folder=str(tmp_path / "job"), order=order, restarts=0)
    engine = DeviceEngine("cpu", lambda source: None)
    begun = engine.render(run)
    next(event for event in begun if isinstance(event, ClipAnalysed))
    begun.close()

    # One that goes on has no need of its model before it comes to the first keyframe to be made.
    resumed = DeviceEngine("cpu", lambda source: None).render(run)
    assert isinstance(next(resumed), Progress)
    write_lora(lora, layout="diffusers")

    with pytest.raises(FileChanged, match=r"ink\.safetensors: it was replaced"):
        list(resumed)
