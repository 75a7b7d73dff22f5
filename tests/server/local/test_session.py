"""A session whose jobs this process does."""

from __future__ import annotations

import inspect
import tempfile
from io import BytesIO
from pathlib import Path

import fresco_client as client
import numpy as np
import pytest
from fresco_client.pictures import AS_IT_IS, WITH_ALPHA
from fresco_engine.errors import DiskFull
from fresco_media.clip import Clip
from fresco_media.stills.images import read_image
from fresco_media.stills.png import decode_png
from fresco_server.local.job import LocalDelivery
from fresco_server.local.session import LocalSession
from PIL import Image as PillowImage

from tests.cli.conftest import write_clip
from tests.engine.conftest import scene, with_hole
from tests.engine.conftest import write_clip as write_transparent
from tests.fakes.engine import FakeEngine, bundled_entry

INK = client.RestyleSettings(prompt="ink")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4")


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


def source(clip: Path) -> client.ClipSource:
    return client.ClipSource(path=str(clip))


def negative(clip: Path, index: int) -> object:
    return (255 - next(Clip.open(clip).frames_at([index])).image).tolist()


@pytest.mark.parametrize("kind", [client.Session, LocalSession])
def test_a_session_has_the_whole_interface_with_its_parameters(kind: type) -> None:
    for name, method in vars(client.SessionLike).items():
        if name.startswith("_") or not callable(method):
            continue
        own = getattr(kind, name)

        assert list(inspect.signature(own).parameters) == list(
            inspect.signature(method).parameters
        ), name


def test_a_job_is_done_while_it_is_watched_and_can_be_fetched(
    engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    with LocalSession(engine) as session:
        job = session.submit(source(clip), INK)
        waiting = session.job(job.id)
        events = list(session.watch(job.id))
        session.fetch_result(job.id, tmp_path / "out.mp4")
        done = session.job(job.id)
        again = list(session.watch(job.id, after=2))

    assert waiting.state is client.JobState.QUEUED
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert [e.index for e in events if isinstance(e, client.FrameReady)] == list(range(12))
    assert isinstance(events[-1], client.Finished)
    assert (done.state, done.result) == (client.JobState.DONE, events[-1].result)
    assert again == events[2:]
    assert Clip.open(tmp_path / "out.mp4").info.frame_count == 12


def test_pictures_of_a_job_are_fetched_without_loss(engine: FakeEngine, clip: Path) -> None:
    lossless = client.PictureOptions(encoding="png")

    with LocalSession(engine) as session:
        output = client.OutputOptions(kind="frames")
        job = session.submit(source(clip), INK, output=output)
        list(session.watch(job.id))
        frame = session.frame(job.id, "result", 7, lossless)
        keyframe = session.frame(job.id, "keyframe", 0, lossless)

    shown = [decode_png(picture.data) for picture in (frame, keyframe)]
    assert [image.tolist() for image in shown if image is not None] == [
        negative(clip, 7),
        negative(clip, 0),
    ]


def test_what_is_made_of_a_transparent_clip_is_so_too_where_that_is_wanted(
    engine: FakeEngine, tmp_path: Path
) -> None:
    clip = write_transparent(tmp_path / "clip.mov", with_hole(scene(3), until=2))
    mattes = list(Clip.open(clip).mattes())

    with LocalSession(engine) as session:
        job = session.submit(source(clip), INK, output=client.OutputOptions(kind="frames"))
        list(session.watch(job.id))
        kept = [session.frame(job.id, "result", index, WITH_ALPHA) for index in range(3)]
        flat = session.frame(job.id, "keyframe", 0, AS_IT_IS)
        (looked,) = session.look(source(clip), 1, INK, options=WITH_ALPHA)

    assert isinstance(looked, client.Picture)
    shown = [np.asarray(PillowImage.open(BytesIO(one.data))) for one in (*kept, flat, looked)]
    assert [image.shape[2] for image in shown] == [4, 4, 3, 3, 4]
    assert np.array_equal(shown[1][..., 3], mattes[1])
    assert np.array_equal(shown[4], shown[1])


def test_what_is_delivered_lies_nowhere_else(
    engine: FakeEngine, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    delivery = LocalDelivery(output=tmp_path / "out.mp4", keyframes=tmp_path / "keys")

    with LocalSession(engine, delivery=delivery) as session:
        job = session.submit(source(clip), INK)
        list(session.watch(job.id))
        kept = list(temporary.glob("fresco-*"))
        told_again = list(session.watch(job.id))

    assert session.is_delivering
    assert (kept, told_again) == ([], [])
    assert Clip.open(delivery.output).info.frame_count == 12
    assert read_image(tmp_path / "keys" / "000000.png").tolist() == negative(clip, 0)


def test_a_job_that_is_no_longer_watched_leaves_nothing_and_can_begin_again(
    engine: FakeEngine, clip: Path, tmp_path: Path
) -> None:
    delivery = LocalDelivery(output=tmp_path / "out.mp4")
    session = LocalSession(engine, delivery=delivery)
    job = session.submit(source(clip), INK)

    with session.watch(job.id) as events:
        next(event for event in events if isinstance(event, client.FrameReady))
    left = sorted(path.name for path in tmp_path.iterdir())
    last = list(session.watch(job.id))[-1]

    assert left == ["clip.mp4"]
    assert isinstance(last, client.Finished)


def test_what_the_session_kept_is_gone_when_it_is_closed(
    engine: FakeEngine, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    with LocalSession(engine) as session:
        list(session.watch(session.submit(source(clip), INK).id))
        kept = list(tmp_path.glob("fresco-*"))

    assert len(kept) == 1
    assert not kept[0].exists()


def test_an_error_of_the_engine_is_the_last_event(engine: FakeEngine, clip: Path) -> None:
    engine.failure = DiskFull("out.mp4", 1_000_000)

    with LocalSession(engine) as session:
        job = session.submit(source(clip), INK)
        last = list(session.watch(job.id))[-1]
        state = session.job(job.id).state

    assert isinstance(last, client.Failed)
    assert (last.failure.reason, last.failure.message) == ("DISK_FULL", str(engine.failure))
    assert not last.failure.can_resume
    assert state is client.JobState.FAILED


def test_refusals_are_those_of_a_daemon(engine: FakeEngine, clip: Path, tmp_path: Path) -> None:
    session = LocalSession(engine)

    with pytest.raises(client.NotFound, match="there is no such file") as nowhere:
        session.submit(source(tmp_path / "no.mp4"), INK)
    with pytest.raises(client.InvalidRequest, match="Strength") as wrong:
        session.submit(source(clip), client.RestyleSettings(prompt="ink", strength=7.0))
    with pytest.raises(client.NotFound):
        session.watch("nobody")
    with pytest.raises(client.NotSupported, match="needs a daemon"):
        session.pause("nobody")

    assert (nowhere.value.reason, wrong.value.reason) == ("CLIP_NOT_FOUND", "INVALID_SETTINGS")


def test_what_binds_is_shown_instead_of_a_look(engine: FakeEngine, clip: Path) -> None:
    lossless = client.PictureOptions(encoding="png")

    with LocalSession(engine) as session:
        (picture,) = session.look(source(clip), 3, INK, options=lossless, shows_control=True)

    assert isinstance(picture, client.Picture)
    image = decode_png(picture.data)
    assert image is not None
    lightness = (255 - np.array(negative(clip, 3))).max(axis=2, keepdims=True)
    assert (np.array(image.tolist()) == lightness).all()


def test_a_look_and_the_models_are_what_a_daemon_gives(engine: FakeEngine, clip: Path) -> None:
    engine.models = (bundled_entry(),)
    lossless = client.PictureOptions(encoding="png")

    with LocalSession(engine) as session:
        (picture,) = session.look(source(clip), 3, INK, options=lossless)
        (model,) = session.models()

    assert isinstance(picture, client.Picture)
    image = decode_png(picture.data)
    assert image is not None
    assert image.tolist() == negative(clip, 3)
    assert (model.source, model.state, model.problem) == ("", "bundled", "")
