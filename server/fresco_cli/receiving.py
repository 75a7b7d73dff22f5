"""What a job has made, from the daemon into its place: whole and verified, or not at all."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import fresco_client as client
from fresco_client import Picture, PictureOptions, Plan, ResultInfo, SessionLike
from fresco_client.files import part_name
from fresco_engine.errors import OutputError
from fresco_engine.types import Report
from fresco_media.files.output_folders import alone_with
from fresco_media.files.state import KnownFile
from fresco_media.types import ClipProperties, Frame, Image, Matte
from fresco_media.writing.delivery import Codec
from fresco_media.writing.originals import NO_ORIGINALS, Originals
from fresco_server.local.engine import InProcessEngine

from fresco_cli import destinations
from fresco_cli.faults import CommandFailed, fault_of
from fresco_cli.followed_job import FollowedJob
from fresco_cli.job_spec import Warnings
from fresco_cli.options import DestinationOptions
from fresco_cli.output import Output
from fresco_cli.wire import info_of, report_of

if TYPE_CHECKING:
    from fresco_media.clip import Clip

_LOSSLESS = PictureOptions(encoding="png")


@dataclass
class Receiver:
    """Receives the results of one job of the clip `clip`."""

    session: SessionLike
    job_id: str
    clip: Clip
    wanted: DestinationOptions
    codec: Codec
    channel: Output
    originals: Originals = NO_ORIGINALS
    _saved: set[int] = field(default_factory=set[int])
    _has_room: bool = False

    def report(self, engine: InProcessEngine, prompts: Collection[int]) -> Report:
        """Follows the job and puts what it makes in its place; `prompts` as `FollowedJob` has them.

        The daemon is told that the result has arrived.
        """
        followed = FollowedJob(
            self.session,
            self.job_id,
            self.clip.info,
            self.channel,
            prompts=prompts,
            on_plan=self._make_room,
            on_keyframe=self._save_keyframe,
        )
        try:
            with alone_with(None if self.session.is_delivering else self.wanted.save_keyframes):
                result = followed.result()
                assert followed.plan is not None
                warnings = () if self.session.is_delivering else self._receive(followed.plan)
        except (client.FileFailed, OutputError) as error:
            if self.session.is_delivering:
                raise
            raise self._not_received(error) from error
        report = self._told(result, warnings)
        if self.wanted.report is not None:
            self.originals.check(self.wanted.report)
            engine.save_report(report, self.wanted.report, is_new=not self.wanted.overwrite)
        return report

    def _not_received(self, error: Exception) -> CommandFailed:
        """What is made has no place here; the daemon still has it, or goes on making it."""
        fault = fault_of(error)
        return CommandFailed(
            fault.kind,
            f"{fault.text.rstrip('.')}; job {self.job_id} loses nothing by it, and "
            f"'fresco jobs fetch {self.job_id} -o OUT' gets what it makes",
            fault.code,
        )

    def _make_room(self) -> None:
        """Removes an earlier job's keyframes, once it is known that there will be others."""
        if self.wanted.save_keyframes is not None and not self._has_room:
            destinations.clear_keyframes(self.wanted.save_keyframes, self.originals)
        self._has_room = True

    def _save_keyframe(self, index: int) -> None:
        """Saves a keyframe, unless it is void by now."""
        folder = self.wanted.save_keyframes
        if folder is None or self.session.is_delivering:
            return
        from fresco_media.stills.images import displayed
        from fresco_media.stills.numbered_folder import numbered_path, write_numbered

        with suppress(client.NotFound):
            picture = self.session.frame(self.job_id, "keyframe", index, _LOSSLESS)
            number = self.clip.first_number + index
            self.originals.check(numbered_path(folder, number))
            image = displayed(decoded(picture), self.clip.info.sample_aspect)
            write_numbered(folder, number, image)
            self._saved.add(index)

    def _receive(self, plan: Plan) -> tuple[str, ...]:
        """Everything that was wanted; returns what is to be known about it."""
        for index in sorted(set(plan.keyframes) - self._saved):
            self._save_keyframe(index)
        if self.codec != "images":
            self._receive_file()
            return ()
        warnings = self._receive_frames(plan)
        self.session.confirm(self.job_id)
        return warnings

    def _told(self, result: ResultInfo, warnings: Iterable[str]) -> Report:
        """The report with the places on this machine, and what was found out here."""
        report = report_of(result)
        return replace(
            report,
            clip={**report.clip, "path": str(self.clip.info.path)},
            outputs=self._outputs(),
            warnings=(*report.warnings, *warnings),
        )

    def _outputs(self) -> dict[str, str]:
        outputs = {"clip": str(self.wanted.output)}
        if self.wanted.save_keyframes is not None:
            outputs["keyframes"] = str(self.wanted.save_keyframes)
        return outputs

    def _receive_file(self) -> None:
        self.session.fetch_result(
            self.job_id,
            self.wanted.output,
            lambda progress: self.channel.transfer(
                "receiving", progress.done_bytes, progress.total_bytes
            ),
            is_overwriting=self.wanted.overwrite,
            before_replacing=self.originals.check,
        )

    def _receive_frames(self, plan: Plan) -> tuple[str, ...]:
        """Writes the frames as the engine does; returns what is to be known about them."""
        from fresco_media.writing.writer import open_writer

        total = plan.stop - plan.start
        with open_writer(
            self.wanted.output,
            self.clip,
            codec="images",
            overwrite=self.wanted.overwrite,
            start=plan.start,
            stop=plan.stop,
            originals=self.originals,
        ) as writer:
            for done, frame in enumerate(self._frames(range(plan.start, plan.stop)), start=1):
                writer.write(frame)
                encoded = client.StageProgress(stage=client.Stage.ENCODING, done=done, total=total)
                self.channel.progress(encoded, None)
            Warnings(self.channel).say(*writer.warnings)
            return writer.warnings

    def _frames(self, indices: Iterable[int]) -> Iterator[Frame]:
        info = self.clip.info
        for index in indices:
            picture = self.session.frame(self.job_id, "result", index, _LOSSLESS)
            yield Frame(index, info.times[index] * info.time_base, decoded(picture))

    def discard(self) -> None:
        """Remove what has arrived of a file that is not to be fetched after all."""
        part_name(self.wanted.output, self.job_id).unlink(missing_ok=True)


def decoded(picture: Picture) -> Image:
    """The picture in a PNG file.

    Raises:
        DataLost: it is damaged.
    """
    from fresco_media.stills.png import decode_png

    image = decode_png(picture.data)
    if image is None:
        raise client.DataLost("A picture arrived damaged. Fetch it again.")
    return image


class _NoPictures:
    """The source of a clip whose description is all that is needed."""

    def __init__(self, first_number: int) -> None:
        self.first_number = first_number
        self.known: tuple[KnownFile, ...] = ()

    def read(
        self, info: ClipProperties, indices: Iterable[int], size: tuple[int, int] | None
    ) -> Iterator[Frame]:
        """Nobody asks for them."""
        raise NotImplementedError

    def mattes(self, info: ClipProperties, indices: Iterable[int]) -> Iterator[Matte]:
        """Nobody asks for these either."""
        raise NotImplementedError

    def damage(self) -> tuple[str, ...]:
        """None is known."""
        return ()


def clip_of(job: client.Job) -> Clip:
    """A job's clip, wherever it is, as far as the daemon describes it."""
    from fresco_media.clip import Clip

    first_number = job.clip_info.first_number if job.clip_info else 0
    return Clip(info_of(job), _NoPictures(first_number), ())
