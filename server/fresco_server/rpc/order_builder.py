"""Requests for restyles, checked and made into what a worker takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fresco.v1 import jobs_pb2, looks_pb2, media_pb2
from fresco_engine.errors import FrescoError, InvalidSettings, RangeOutsideClip
from fresco_engine.settings import RestyleSettings, Style, find_styles
from fresco_media.files.text import printable
from fresco_settings import UPLOAD_PREFIX

from fresco_server.errors import (
    BadRequest,
    DaemonLimitReached,
    EngineRefused,
    ServerError,
    ShuttingDown,
    WorkerLost,
)
from fresco_server.jobs.job import JobOrder, ModelOrder
from fresco_server.jobs.looks import LookOrder
from fresco_server.jobs.messages import ClipDescribed, NamingFiles, WantedMask
from fresco_server.jobs.path_policy import PathPolicy
from fresco_server.rpc.messages.clips import WantedClip, wanted_clip
from fresco_server.rpc.messages.jobs import kept, output_of
from fresco_server.rpc.messages.settings import model_order, restyle_settings

if TYPE_CHECKING:
    from fresco_server.jobs.service import Jobs

_REQUEST_BYTES = 256 << 10
"""What is kept of a request is answered with its job, and a page of jobs must fit a message."""
_LONGEST_TITLE = 200
_LONGEST_NAME = 64
_MASK, _REFERENCE, _ADAPTER = "subject_mask", "reference", "reference_model"


@dataclass(frozen=True)
class OrderBuilder:
    """Makes orders from requests; `path_policy` says where their files may lie."""

    jobs: Jobs
    path_policy: PathPolicy
    most_frames: int

    def job(self, request: jobs_pb2.CreateJobRequest, is_wanted: Callable[[], bool]) -> JobOrder:
        """What `request` asks for; `is_wanted` says whether the client is still there.

        Raises:
            BadRequest, InvalidSettings: a value is out of range.
            Forbidden, ClipNotFound, UploadNotFound, EngineRefused, ModelNotFound, ModelUnusable:
                the clip or the model cannot be used.
            LimitReached: the clip is too long.
        """
        check_request_size(request.ByteSize())
        _check_length("title", request.title, _LONGEST_TITLE)
        _check_length("device", request.device, _LONGEST_NAME)
        settings = self._with_pictures(restyle_settings(request.settings))
        settings = replace(settings, flow=self.path_policy.flow(settings.flow))
        settings, mask_upload = self._with_mask(settings)
        settings, reference_upload = self._with_reference(settings)
        codec, suffix = output_of(request.output)
        model = model_order(request.model, self.path_policy)
        self._check_style(settings, model)
        naming = NamingFiles(model=model, settings=settings.as_dict())
        clip, found = self.described(request.clip, is_wanted, _wanted_mask(settings), naming)
        self._check_range(settings, found.info["frame_count"])
        return JobOrder(
            clip=str(clip.path),
            settings=naming.settings,
            model=model,
            frame_rate=clip.frame_rate,
            codec=codec,
            suffix=suffix,
            device=request.device,
            title=printable(request.title or clip.name)[:_LONGEST_TITLE],
            upload=clip.upload,
            mask_upload=mask_upload,
            reference_upload=reference_upload,
            clip_state=found.state,
            mask_state=found.mask_state,
            file_states=found.file_states,
            clip_info=found.info,
            request=kept(request),
        )

    def look(self, request: looks_pb2.LookRequest, is_wanted: Callable[[], bool]) -> LookOrder:
        """What `request` asks for; raises what `job` does, and RangeOutsideClip."""
        check_request_size(request.ByteSize())
        _check_length("client_id", request.client_id, _LONGEST_NAME)
        _check_length("device", request.device, _LONGEST_NAME)
        settings, _ = self._with_mask(restyle_settings(request.settings))
        settings, _ = self._with_reference(settings)
        model = model_order(request.model, self.path_policy)
        self._check_style(settings, model)
        clip, found = self.described(request.clip, is_wanted)
        count = found.info["frame_count"]
        if not 0 <= request.index < count:
            raise RangeOutsideClip(clip.name, request.index, request.index + 1, count)
        return LookOrder(
            clip=str(clip.path),
            index=request.index,
            settings=settings.as_dict(),
            model=model,
            frame_rate=clip.frame_rate,
            device=request.device,
            client_id=request.client_id,
            shows_control=request.is_control_picture,
        )

    def described(
        self,
        source: media_pb2.ClipSource,
        is_wanted: Callable[[], bool],
        mask: WantedMask | None = None,
        naming: NamingFiles | None = None,
    ) -> tuple[WantedClip, ClipDescribed]:
        """The clip and what is known of it; raises what `wanted_clip` and the engine do."""
        clip = wanted_clip(source, self.path_policy, self.jobs.uploads)
        try:
            found = self.jobs.media.describe(clip.path, clip.frame_rate, is_wanted, mask, naming)
            return clip, found
        except WorkerLost as error:
            if self.jobs.is_closing:
                raise ShuttingDown from error
            # A clip that takes down whoever looks at it would do so again.
            refused = EngineRefused(str(error), reason="CLIP_UNREADABLE")
            if mask is not None:
                self.described(source, is_wanted)
                refused.field = _MASK  # The clip alone does not.
            raise refused from error

    def _with_mask(self, settings: RestyleSettings) -> tuple[RestyleSettings, str | None]:
        """`settings` with the subject's mask where it lies, and its digest if it was sent."""
        mask, upload = self._reached(settings.subject_mask, _MASK, self.path_policy.clip)
        return replace(settings, subject_mask=mask), upload

    def _with_reference(self, settings: RestyleSettings) -> tuple[RestyleSettings, str | None]:
        """`settings` with the real places of the reference picture and its model; its upload.

        Raises:
            BadRequest, Forbidden, UploadNotFound, ClipNotFound, ClipUnreadable: as `_reached`.
            ModelNotFound, ModelUnusable: the IP-Adapter is not there, or no such file.
        """
        path, upload = self._reached(settings.reference, _REFERENCE, self.path_policy.picture)
        adapter = settings.reference_model
        try:
            adapter = adapter and self.path_policy.adapter(adapter)
        except (FrescoError, ServerError) as error:
            error.field = _ADAPTER
            raise
        return replace(settings, reference=path, reference_model=adapter), upload

    def _reached(
        self, text: str | None, field: str, place: Callable[[str, str], Path]
    ) -> tuple[str | None, str | None]:
        """The real place of a file that a setting names, and its upload if it is one.

        Raises:
            BadRequest, Forbidden, ClipNotFound, ClipUnreadable: as `place`.
            UploadNotFound: no such upload was finished.
        """
        if text is None:
            return None, None
        is_upload = text.startswith(UPLOAD_PREFIX)
        digest = text.removeprefix(UPLOAD_PREFIX) if is_upload else None
        try:
            if digest is None:
                return str(place(text, f"settings.{field}")), None
            return str(self.jobs.uploads.path_of(digest)), digest
        except (FrescoError, ServerError) as error:
            error.field = field
            raise

    def _check_style(self, settings: RestyleSettings, model: ModelOrder) -> None:
        """A style that the model cannot know is refused before anybody waits for it.

        A model that is not listed, such as one still to be downloaded, is asked when it is loaded.
        """
        if settings.style is None:
            return
        for values in self.jobs.list_models():
            source = None if values["state"] == "bundled" else values["source"]
            if source == model.source and values["state"] != "available":
                find_styles(settings.style, [Style(**style) for style in values["styles"]])

    def _with_pictures(self, settings: RestyleSettings) -> RestyleSettings:
        """`settings` with the real places of painted keyframes.

        Raises:
            BadRequest, Forbidden, ClipNotFound, ClipUnreadable: as `PathPolicy.picture`.
        """
        field = "settings.keyframe_pictures"
        pictures = settings.keyframe_pictures.items()
        paths = {index: str(self.path_policy.picture(path, field)) for index, path in pictures}
        return replace(settings, keyframe_pictures=paths)

    def _check_range(self, settings: RestyleSettings, frame_count: int) -> None:
        start = settings.start
        stop = frame_count if settings.stop is None else settings.stop
        if not start < stop <= frame_count:
            raise InvalidSettings(
                "start",
                f"{start}:{stop} is not inside the clip, which has {frame_count} frames; choose a "
                "range inside it",
            )
        if stop - start > self.most_frames:
            raise DaemonLimitReached(
                f"{stop - start} frames are more than the {self.most_frames} this daemon takes; "
                "restyle the clip in parts",
                reason="CLIP_TOO_LONG",
            )


def _wanted_mask(settings: RestyleSettings) -> WantedMask | None:
    mask = settings.subject_mask
    if mask is None:
        return None
    return WantedMask(mask=mask, start=settings.start, stop=settings.stop, size=settings.size)


def check_request_size(size: int) -> None:
    """Raises: BadRequest for a request of more bytes than one is kept of."""
    if size > _REQUEST_BYTES:
        raise BadRequest("request", f"it has more than {_REQUEST_BYTES >> 10} KiB; give less text")


def _check_length(field: str, text: str, longest: int) -> None:
    if len(text) > longest:
        raise BadRequest(field, f"{len(text)} characters are more than {longest}; shorten it")
