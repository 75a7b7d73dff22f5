"""Jobs without a daemon: runs of the test's engine as a client sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import fresco_client as client
from fresco.v1 import settings_pb2
from fresco_cli.engine import Engine
from fresco_client.messages import message_of
from fresco_engine import types
from fresco_engine.errors import FrescoError
from fresco_engine.settings import RestyleSettings
from fresco_media.png import encode_png
from fresco_server.errors import reason_of
from fresco_server.rpc.messages.settings import restyle_settings

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@dataclass
class Work:
    """A job and where what it makes is kept."""

    job: client.Job
    clip: Path
    folder: Path
    events: list[client.Event] = field(default_factory=list[client.Event])

    @property
    def result(self) -> Path:
        """The file, or the pattern of the frames."""
        output = self.job.output or client.OutputOptions()
        is_video = output.kind != "frames"
        return self.folder / (f"result.{output.container or 'mp4'}" if is_video else "%06d.png")


class Run:
    """One run of the engine, as a job's events."""

    def __init__(self, engine: Engine, work: Work) -> None:
        self._engine = engine
        self._work = work
        self._sequence = 0

    def events(self) -> Iterator[client.Event]:
        yield self._event(client.StateChanged, state=client.JobState.ANALYSING, reason="")
        try:
            for event in self._rendered():
                yield from self._translated(event)
        except FrescoError as error:
            reason = reason_of(type(error).__name__)
            yield self._failed(reason, str(error))
        # As the worker does, which lives on.
        except Exception as error:  # noqa: BLE001
            yield self._failed("UNEXPECTED", f"something unexpected happened ({error})")

    def _rendered(self) -> Iterator[types.Event]:
        job, engine = self._work.job, self._engine
        assert job.settings is not None
        assert job.clip is not None
        loaded = load_model(engine, job.settings, job.model, job.device)
        kind = (job.output.kind if job.output else None) or "h264"
        return engine.render(
            engine.open_clip(self._work.clip, job.clip.frame_rate),
            self._work.result,
            engine_settings(job.settings),
            loaded,
            codec="images" if kind == "frames" else kind,
            save_keyframes=self._work.folder / "keyframes",
        )

    def _translated(self, event: types.Event) -> Iterator[client.Event]:
        match event:
            case types.Analysed():
                yield self._event(client.Analysed, plan=_plan(event))
            case types.Progress():
                progress = client.StageProgress(
                    stage=client.Stage[event.stage.name], done=event.done, total=event.total
                )
                yield self._event(
                    client.ProgressMade, progress=progress, remaining_s=event.remaining_s
                )
            case types.KeyframeReady():
                yield self._event(client.KeyframeReady, index=event.index, picture=None)
            case types.FrameReady():
                yield self._event(
                    client.FrameReady,
                    index=event.frame.index,
                    clip_time=event.frame.time_s,
                    is_keyframe=event.is_keyframe,
                    picture=None,
                )
            case types.Warned():
                yield self._event(client.Warned, message=event.message)
            case types.Restarted():
                yield self._event(client.Restarted, reason=event.reason)
            case types.Finished():
                yield self._finished(event.report)

    def _finished(self, report: types.Report) -> client.Event:
        result = client.ResultInfo(
            file_name=self._work.result.name,
            size_bytes=1,
            sha256="" if "%" in self._work.result.name else "0" * 64,
            report_json=json.dumps(report.as_dict()),
            is_fetched=False,
        )
        self._work.job = replace(self._work.job, state=client.JobState.DONE, result=result)
        return self._event(client.Finished, result=result)

    def _failed(self, reason: str, message: str) -> client.Event:
        failure = client.Failure(reason=reason, message=message, log_tail="", can_resume=False)
        self._work.job = replace(self._work.job, state=client.JobState.FAILED, failure=failure)
        return self._event(client.Failed, failure=failure)

    def _event(self, kind: type[Any], **values: Any) -> Any:
        self._sequence += 1
        return kind(sequence=self._sequence, time=NOW, **values)


class refusing:  # noqa: N801 - used as a function
    """The engine's errors inside are the client's outside, as a daemon makes them."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FrescoError):
            raise client.NotFound(str(error), reason_of(type(error).__name__)) from error


def engine_settings(settings: client.RestyleSettings) -> RestyleSettings:
    """What the daemon makes of the settings on the wire."""
    return restyle_settings(message_of(settings, settings_pb2.RestyleSettings))


def picture_of(image: types.Image) -> client.Picture:
    """A lossless picture as the daemon sends it."""
    height, width = image.shape[:2]
    return client.Picture(encoding="png", width=width, height=height, data=encode_png(image))


def new_job(job_id: str, **changes: Any) -> client.Job:
    """A job as a daemon describes it when it has just been made."""
    values: dict[str, Any] = {
        "state": client.JobState.QUEUED,
        "create_time": NOW,
        "update_time": NOW,
        "title": "clip.mp4",
        "clip": None,
        "clip_info": None,
        "settings": None,
        "model": None,
        "output": None,
        "device": "",
        "parent_id": "",
        "progress": (),
        "remaining_s": None,
        "jobs_ahead": 0,
        "plan": None,
        "ready_keyframes": (),
        "ready_frames": 0,
        "warnings": (),
        "result": None,
        "failure": None,
        "last_sequence": 0,
        "disk_bytes": 0,
    }
    return client.Job(id=job_id, **(values | changes))


def load_model(
    engine: Engine,
    settings: client.RestyleSettings,
    model: client.ModelChoice | None,
    device: str,
) -> Any:
    """The engine's model for what was asked of the daemon."""
    model = model or client.ModelChoice()
    return engine.load_model(
        model.source or None,
        control=engine_settings(settings).control,
        control_source=model.control_source or None,
        loras=[f"{lora.path}:{lora.weight}" for lora in model.loras],
        device=device or None,
    )


def _plan(event: types.Analysed) -> client.Plan:
    width, height = event.working_size
    return client.Plan(
        start=event.start,
        stop=event.stop,
        shots=tuple(client.FrameRange(start=start, stop=stop) for start, stop in event.shots),
        keyframes=event.keyframes,
        working_width=width,
        working_height=height,
    )


def described(engine: Engine, path: Path, clip: client.ClipSource) -> client.ClipInfo:
    """What a daemon says of a clip."""
    opened = engine.open_clip(path, clip.frame_rate)
    info = opened.info
    return client.ClipInfo(
        width=info.width,
        height=info.height,
        frame_count=info.frame_count,
        frame_rate=info.frame_rate,
        duration=info.duration_s,
        has_audio=info.has_audio,
        is_variable_rate=info.is_variable_rate,
        is_sequence=info.is_sequence,
        first_number=opened.first_number,
        bit_depth=info.bit_depth,
        has_alpha=info.has_alpha,
        codec=info.codec,
        warnings=opened.warnings,
    )
