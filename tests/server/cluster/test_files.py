"""Files on machines that may have them, and on others that are sent them."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_engine.errors import ModelNotFound
from fresco_media.clip import Clip
from fresco_media.stills.images import write_image
from fresco_server.cluster import files
from fresco_server.cluster.files import SourceCache, check_models, needs_of, placed
from fresco_server.cluster.orders import Needs, SourceFile
from fresco_server.cluster.scratch import shared_folder
from fresco_server.jobs.job import JobOrder, ModelOrder

from tests.engine.conftest import scene, write_clip


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """A folder of pictures."""
    folder = tmp_path / "shot é"
    folder.mkdir()
    for index, picture in enumerate(scene(4)):
        write_image(folder / f"frame_{index:04d}.png", picture)
    return folder


@pytest.fixture
def order(tmp_path: Path, sequence: Path) -> JobOrder:
    """A job with a clip, a mask in pictures, a reference and a painted picture."""
    clip = write_clip(tmp_path / "clip.mp4", scene(4))
    for name in ("reference.png", "painted.png"):
        write_image(tmp_path / name, scene(1)[0])
    settings = {
        "subject_mask": str(sequence),
        "reference": str(tmp_path / "reference.png"),
        "keyframe_pictures": {"2": str(tmp_path / "painted.png")},
        "prompt": "ink",
    }
    return JobOrder(clip=str(clip), settings=settings)


def send(cache: SourceCache, needs: Needs) -> list[SourceFile]:
    """Everything that is missing, in pieces of a few bytes."""
    missing = list(cache.missing(needs))
    for file in missing:
        data = Path(file.path).read_bytes()
        pieces = [data[at : at + 1000] for at in range(0, len(data), 1000)]
        for number, piece in enumerate(pieces):
            cache.write(file, 1000 * number, piece)
    return missing


def test_what_is_at_the_same_place_is_read_there(order: JobOrder, tmp_path: Path) -> None:
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))

    places = {source.name: cache.place(source) for source in needs.sources}

    assert cache.missing(needs) == ()
    assert placed(order, places) == (order.clip, order.settings)


def test_what_is_not_there_is_sent_once_and_read_from_there(
    order: JobOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_is_here", lambda _: False)
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))

    sent = send(cache, needs)
    places = {source.name: cache.place(source) for source in needs.sources}
    clip, settings = placed(order, places)

    assert len(sent) == 7
    assert cache.missing(needs) == ()
    for there, here in (
        (order.clip, clip),
        (order.settings["subject_mask"], settings["subject_mask"]),
        (order.settings["reference"], settings["reference"]),
        (order.settings["keyframe_pictures"]["2"], settings["keyframe_pictures"]["2"]),
    ):
        assert Path(here).is_relative_to(tmp_path / "cache")
        assert Clip.open(here).state == Clip.open(there).state
    assert settings["prompt"] == "ink"


@pytest.mark.parametrize("name", ["", "frame_%04d.png", "frame_0001.png"])
def test_a_sequence_may_be_named_in_every_way(
    sequence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(files, "_is_here", lambda _: False)
    cache = SourceCache(tmp_path / "cache")
    order = JobOrder(clip=str(sequence / name), settings={})
    needs = needs_of(order, Clip.open(order.clip))
    send(cache, needs)

    clip, _ = placed(order, {source.name: cache.place(source) for source in needs.sources})

    assert Clip.open(clip).info.frame_count == 4


def test_another_file_at_the_same_place_is_not_taken_for_it(
    order: JobOrder, tmp_path: Path
) -> None:
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))
    clip = Path(order.clip)
    data = bytearray(clip.read_bytes())
    data[len(data) // 2] ^= 1

    clip.write_bytes(data)

    assert [file.path for file in cache.missing(needs)] == [order.clip]


def test_a_file_that_was_sent_in_part_is_sent_anew(
    order: JobOrder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_is_here", lambda _: False)
    cache = SourceCache(tmp_path / "cache")
    needs = needs_of(order, Clip.open(order.clip))
    first = cache.missing(needs)[0]

    cache.write(first, 0, b"half")

    assert first in cache.missing(needs)


def test_a_models_file_has_to_be_there_and_the_same(tmp_path: Path) -> None:
    lora = tmp_path / "ink.safetensors"
    lora.write_bytes(b"weights")
    clip = write_clip(tmp_path / "clip.mp4", scene(2))
    order = JobOrder(clip=str(clip), settings={}, model=ModelOrder(loras=((str(lora), 1.0),)))
    needs = needs_of(order, Clip.open(order.clip))

    check_models(needs.models)
    lora.write_bytes(b"Weights")
    with pytest.raises(ModelNotFound, match=r"another content on .*copy it there"):
        check_models(needs.models)
    lora.unlink()
    with pytest.raises(ModelNotFound, match=r"is missing on .*copy it there"):
        check_models(needs.models)


def test_a_folder_that_nobody_uses_any_more_is_removed_and_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    left, foreign = tmp_path / "fresco-cluster-left", tmp_path / "fresco-cluster-of-others"
    for folder in (left, foreign):
        folder.mkdir()
    (left / "in-use").touch()
    (foreign / "work").touch()

    first = shared_folder("first")
    second = shared_folder("second")

    assert first.is_dir()
    assert second.is_dir()
    assert not left.exists()
    assert foreign.is_dir()
