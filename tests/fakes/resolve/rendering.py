"""The render queue: it writes real files, a frame for every frame of the range."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import av
import numpy as np
from fresco_media import clip as media
from fresco_media.stills.images import read_image
from fresco_media.types import Image

from tests.fakes.resolve.objects import Wrapper
from tests.fakes.resolve.pool import exact_rate, reported_rate
from tests.fakes.resolve.state import Clip, Item, RenderState, Timeline, new_id

_TEXT, _WHOLE, _SWITCH, _NUMBER = (str,), (int,), (bool,), (int, float)
SETTINGS: dict[str, tuple[tuple[int, ...], tuple[type, ...]]] = {
    **dict.fromkeys(
        ["SelectAllFrames", "ExportVideo", "ExportAudio", "UseUniqueFilenames", "ExportAlpha",
         "MultiPassEncode", "NetworkOptimization", "ReplaceExistingFilesInPlace"],
        ((15,), _SWITCH),
    ),
    **dict.fromkeys(
        ["TargetDir", "CustomName", "AudioCodec", "ColorSpaceTag", "GammaTag", "EncodingProfile",
         "PixelAspectRatio", "TimelineStartTimecode"],
        ((15,), _TEXT),
    ),
    **dict.fromkeys(
        ["MarkIn", "MarkOut", "UniqueFilenameStyle", "FormatWidth", "FormatHeight",
         "AudioBitDepth", "AudioSampleRate", "AlphaMode", "ClipStartFrame"],
        ((15,), _WHOLE),
    ),
    "FrameRate": ((15,), _NUMBER),
    "VideoQuality": ((15,), (int, str)),
    "ExportSubtitle": ((20, 2), _SWITCH),
    "SubtitleFormat": ((20, 2), _TEXT),
    "UseFullExtents": ((21, 0, 4), _SWITCH),
    "AddFrameHandles": ((21, 0, 4), _WHOLE),
    "DataBurnIn": ((21, 0, 4), _TEXT),
    "AudioFormat": ((21, 1), _TEXT),
}  # fmt: skip
"""What can be set, since when, and the types it takes."""
_FORMATS = {"QuickTime": "mov", "MP4": "mp4", "PNG": "png"}
_CODECS = {
    "mov": {"Apple ProRes 422 HQ": "ProRes422HQ", "DNxHR HQ": "DNxHR_HQ", "H.264": "H264"},
    "mp4": {"H.264": "H264"},
    "png": {"RGB 8 bits": "RGB8"},
}
_MODES = ("Individual clips", "Single clip")
_WORDS = {
    "en": ("Rendering", "Complete", "Failed"),
    "de": ("Wird gerendert", "Fertig", "Fehlgeschlagen"),
    "ja": ("レンダリング中", "完了", "失敗"),
}


class Rendering(Wrapper):
    """What a project can render."""

    @property
    def _render(self) -> RenderState:
        assert self._world.project is not None
        return self._world.project.render

    def GetRenderFormats(self) -> dict[str, str]:
        return dict(_FORMATS)

    def GetRenderCodecs(self, ending: str) -> dict[str, str]:
        codecs = dict(_CODECS.get(ending, {}))
        if not self._world.is_studio and self._world.platform == "linux":
            codecs.pop("H.264", None)
        missing = self._world.missing_codecs
        return {name: id_ for name, id_ in codecs.items() if name not in missing}

    def GetCurrentRenderFormatAndCodec(self) -> dict[str, str]:
        return {"format": self._render.format, "codec": self._render.codec}

    def SetCurrentRenderFormatAndCodec(self, ending: str, codec: str) -> bool:
        if codec not in _CODECS.get(ending, {}).values():
            return False
        self._render.format, self._render.codec = ending, codec
        return True

    def GetCurrentRenderMode(self) -> int:
        return self._render.mode

    def SetCurrentRenderMode(self, mode: int) -> bool:
        if mode not in (0, 1):
            return False
        self._render.mode = mode
        return True

    def SetRenderSettings(self, settings: dict[str, Any]) -> bool:
        for name, value in settings.items():
            since, types = SETTINGS.get(name, ((99,), ()))
            if since > self._world.version or type(value) not in types:
                raise self._world.blame(f"there is no render setting {name} for {value!r}")
        self._render.settings.update(settings)
        return True

    def GetRenderPresetList(self) -> list[str]:
        assert self._world.project is not None
        return ["H.264 Master", *self._world.project.presets]

    def SaveAsNewRenderPreset(self, name: str) -> bool:
        assert self._world.project is not None
        if name in self._world.project.presets:
            return False
        self._world.project.presets[name] = deepcopy(self._render)
        return True

    def LoadRenderPreset(self, name: str) -> bool:
        assert self._world.project is not None
        preset = self._world.project.presets.get(name)
        if preset is None:
            return False
        self._world.project.render = deepcopy(preset)
        return True

    def DeleteRenderPreset(self, name: str) -> bool:
        assert self._world.project is not None
        return self._world.project.presets.pop(name, None) is not None

    def AddRenderJob(self) -> str:
        project = self._world.project
        assert project is not None
        settings = project.render.settings
        timeline = project.timeline()
        if timeline is None or not Path(settings.get("TargetDir", "/nowhere")).is_dir():
            return ""
        first, last = timeline.start, timeline.start - 1
        if settings.get("SelectAllFrames", True) is False:
            first, last = settings["MarkIn"], settings["MarkOut"]
        job = {
            "JobId": new_id("render"),
            "TimelineName": timeline.name,
            "MarkIn": first,
            "MarkOut": last,
            "TargetDir": settings["TargetDir"],
            "OutputFilename": f"{settings.get('CustomName', 'Untitled')}.{project.render.format}",
            "FormatWidth": settings.get("FormatWidth", timeline.size[0]),
            "FormatHeight": settings.get("FormatHeight", timeline.size[1]),
            "FrameRate": settings.get("FrameRate", reported_rate(timeline.rate)),
            "IsExportVideo": settings.get("ExportVideo", True),
            "RenderMode": _MODES[project.render.mode],
        }
        project.render_jobs.append(job)
        return job["JobId"]

    def GetRenderJobList(self) -> list[dict[str, Any]]:
        assert self._world.project is not None
        return [dict(job) for job in self._world.project.render_jobs]

    def DeleteRenderJob(self, job_id: str) -> bool:
        assert self._world.project is not None
        jobs = self._world.project.render_jobs
        kept = [job for job in jobs if job["JobId"] != job_id]
        self._world.project.render_jobs = kept
        return len(kept) < len(jobs)

    def StartRendering(self, *what: Any) -> bool:
        world = self._world
        assert world.project is not None
        if not what or isinstance(what[0], bool):
            raise world.blame("that renders the user's own queue as well")
        wanted = what[0] if isinstance(what[0], list) else [w for w in what if isinstance(w, str)]
        jobs = [job for job in world.project.render_jobs if job["JobId"] in wanted]
        if not jobs or _running(world):
            return False
        for job in jobs:
            world.prefs[f"polls {job['JobId']}"] = world.render_polls
            if not world.does_render_fail:
                _write(world.timeline, job)
        return True

    def StopRendering(self) -> None:
        for job_id in _running(self._world):
            self._world.prefs[f"polls {job_id}"] = 0

    def IsRenderingInProgress(self) -> bool:
        running = _running(self._world)
        for job_id in running:
            self._world.prefs[f"polls {job_id}"] -= 1
        return bool(running)

    def GetRenderJobStatus(self, job_id: str) -> dict[str, Any] | None:
        world = self._world
        polls = world.prefs.get(f"polls {job_id}")
        words = _WORDS[world.language]
        if polls is None:
            return None
        if polls > 0:
            return {"JobStatus": words[0], "CompletionPercentage": 50}
        if world.does_render_fail:
            return {"JobStatus": words[2], "CompletionPercentage": 50, "Error": "Disk full"}
        return {"JobStatus": words[1], "CompletionPercentage": 100}

    def ExportCurrentFrameAsStill(self, path: str) -> bool:
        line = self._world.timeline
        picture = picture_at(line, line.start + line.playhead)
        with av.open(path, "w", format="image2") as container:
            stream = container.add_stream("png")
            stream.height, stream.width = picture.shape[:2]
            stream.pix_fmt = "rgb24"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        return True


def _running(world: Any) -> list[str]:
    return [
        name.removeprefix("polls ")
        for name, polls in world.prefs.items()
        if name.startswith("polls ") and polls > 0
    ]


def _write(line: Timeline, job: dict[str, Any]) -> None:
    """One file, or one for every clip if it is to render clips one by one."""
    if not job["IsExportVideo"]:
        return
    name = Path(job["TargetDir"]) / job["OutputFilename"]
    if job["RenderMode"] == _MODES[1]:
        _write_range(line, job, name, range(job["MarkIn"], job["MarkOut"] + 1))
        return
    for number, item in enumerate(line.video[0].items):
        path = name.with_name(f"{name.stem}_{number:04}{name.suffix}")
        _write_range(line, job, path, range(item.start, item.end))


def _write_range(line: Timeline, job: dict[str, Any], path: Path, frames: range) -> None:
    rate, size = exact_rate(job["FrameRate"]), (job["FormatWidth"], job["FormatHeight"])
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264rgb", rate=rate)
        stream.width, stream.height, stream.pix_fmt = (
            job["FormatWidth"],
            job["FormatHeight"],
            "rgb24",
        )
        stream.options = {"crf": "0", "preset": "ultrafast"}
        for number in range(round(len(frames) * rate / line.rate)):
            picture = scaled(picture_at(line, frames[int(number * line.rate / rate)]), size)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))


def picture_at(line: Timeline, at: int) -> Image:
    """What the viewer shows; graded clips come out redder, so that it can be told."""
    for track in reversed(line.video):
        for item in track.items:
            if track.is_enabled and item.is_enabled and item.start <= at < item.end:
                return _of_item(line, item, at - item.start)
    return np.zeros((line.size[1], line.size[0], 3), np.uint8)


def _of_item(line: Timeline, item: Item, offset: int) -> Image:
    picture = None if item.clip is None else _of_clip(line, item, item.clip, offset)
    if picture is None:
        return np.full((line.size[1], line.size[0], 3), 90, np.uint8)
    shown = scaled(picture, line.size)
    if item.nodes != [[]]:
        shown[..., 0] = 255
    return shown


def scaled(picture: Image, size: tuple[int, int]) -> Image:
    """The picture in another size, a copy."""
    across = np.arange(size[0]) * picture.shape[1] // size[0]
    down = np.arange(size[1]) * picture.shape[0] // size[1]
    return picture[down][:, across].copy()


def _of_clip(line: Timeline, item: Item, clip: Clip, offset: int) -> Image | None:
    """A frame of the file; None if there is none."""
    frame = int((item.left + offset * item.speed) * clip.rate / line.rate)
    frame = min(max(frame, 0), clip.frames - 1)
    picture = clip.picture(frame)
    if picture is not None:
        return read_image(picture)
    path = clip.inner or Path(clip.path)
    return next(iter(media.Clip.open(path).frames_at([frame]))).image if path.is_file() else None
