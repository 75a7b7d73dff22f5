"""Files of a run: whole or absent, exact to the bit, readable without the engine."""

import errno
import os
import random
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from fresco_engine.checkpoint import (
    Adjustments,
    CheckpointReader,
    FolderCheckpoint,
    NoCheckpoint,
    StoredBatch,
    StoredPlan,
)
from fresco_engine.checkpoint.reader import batch_name
from fresco_engine.errors import DiskFull, OutputNotWritable
from fresco_engine.settings import OptimisationSettings, RestyleSettings
from fresco_engine.types import FrameQuality
from fresco_media.stills.images import fit, unfit
from hypothesis import given, settings
from hypothesis import strategies as st

PLAN = StoredPlan(
    frame_count=30,
    width=86,
    height=70,
    frame_rate=Fraction(30000, 1001),
    settings=RestyleSettings(
        prompt="blue, with 'quotes' and ünïcode",
        size=67,
        steps=3,
        keyframe_prompts={4: "red"},
        keyframe_seeds={9: 2**63 - 1},
        optimisation=OptimisationSettings(blocks=(1, 2)),
    ),
    model="tiny",
    device="cpu",
    start=2,
    stop=30,
    shots=((2, 12), (12, 30)),
    keyframes=(2, 7, 11, 12, 20, 29),
    warnings=("frame 3 is damaged",),
)


def picture(seed: int, size: tuple[int, int] = (88, 72)) -> np.ndarray:
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (size[1], size[0], 3), np.uint8)


def batch(first: int) -> StoredBatch:
    random = np.random.default_rng(first)
    latents = random.standard_normal((2, 4, 4, 9, 11)).astype(np.float32)
    frame = random.integers(0, 12, (72, 88)).astype(np.int32)
    place = random.uniform(0, 72, (2, 72, 88)).astype(np.float32)
    return StoredBatch((2, 7), (first, first + 3), latents[0], latents[1], frame, place)


def test_a_plan_comes_back_as_it_was(tmp_path: Path) -> None:
    FolderCheckpoint(tmp_path).save_plan(PLAN)

    assert FolderCheckpoint(tmp_path).plan() == PLAN


def test_a_batch_comes_back_bit_by_bit(tmp_path: Path) -> None:
    kept = batch(11)
    kept.first[0, 0, 0, :4] = (np.nan, np.inf, -0.0, 1e-42)

    FolderCheckpoint(tmp_path).save_batch(kept)

    found = FolderCheckpoint(tmp_path).batch(11)
    assert found is not None
    assert (found.anchors, found.new) == (kept.anchors, kept.new)
    assert found.first.tobytes() == kept.first.tobytes()
    assert found.last.tobytes() == kept.last.tobytes()
    assert found.first.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), width=st.integers(1, 40), height=st.integers(1, 40))
def test_a_picture_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, seed: int, width: int, height: int
) -> None:
    checkpoint = FolderCheckpoint(tmp_path_factory.mktemp("pictures"))
    image = picture(seed, (width, height))

    checkpoint.save("frames", 123456789, image)

    assert np.array_equal(checkpoint.load("frames", 123456789), image)  # pyright: ignore[reportArgumentType]


def test_the_quality_of_a_frame_is_kept_with_its_picture(tmp_path: Path) -> None:
    checkpoint, quality = (
        FolderCheckpoint(tmp_path),
        FrameQuality(error=1 / 3, worst_error=0.5, drift=1e-9),
    )

    checkpoint.save("frames", 5, picture(5), quality)
    checkpoint.save("frames", 6, picture(6))

    assert np.array_equal(checkpoint.load("frames", 5), picture(5))  # pyright: ignore[reportArgumentType]
    assert checkpoint.quality(5) == quality
    assert checkpoint.quality(6) is None
    assert checkpoint.quality(7) is None
    checkpoint.save("frames", 6, picture(6), quality)
    checkpoint.save_keyframe_as_frame(6, picture(6))
    assert checkpoint.quality(6) is None


@pytest.mark.parametrize("what", ["picture", "batch"])
def test_a_file_that_lost_or_changed_a_bit_counts_as_absent(tmp_path: Path, what: str) -> None:
    checkpoint, chance = FolderCheckpoint(tmp_path), random.Random(4)
    checkpoint.save("frames", 5, picture(5, (8, 8)))
    checkpoint.save_batch(batch(5))
    is_picture = what == "picture"
    path = checkpoint.picture_path("frames", 5) if is_picture else tmp_path / batch_name(5)
    whole = path.read_bytes()
    torn = [whole[:length] for length in chance.sample(range(len(whole)), 40)]
    places = [chance.randrange(len(whole)) for _ in range(60)]
    flipped = [whole[:i] + bytes([whole[i] ^ (1 << i % 8)]) + whole[i + 1 :] for i in places]

    for data in (*torn, *flipped, whole + b"\0", b""):
        path.write_bytes(data)
        found = checkpoint.load("frames", 5) if is_picture else checkpoint.batch(5)
        assert found is None


def test_what_was_being_written_when_the_process_was_killed_is_removed(tmp_path: Path) -> None:
    checkpoint = FolderCheckpoint(tmp_path)
    checkpoint.save("frames", 5, picture(5))
    leftovers = [
        tmp_path / ".plan.json.partial",
        tmp_path / "frames" / ".000006.png.partial",
        tmp_path / "batches" / ".000005.safetensors.partial",
    ]
    for path in leftovers:
        path.write_bytes(b"torn")

    reader = CheckpointReader(tmp_path)
    seen = reader.indices("frames")
    assert all(path.exists() for path in leftovers)
    FolderCheckpoint(tmp_path)

    assert seen == (5,)
    assert not any(path.exists() for path in leftovers)
    assert reader.has("frames", 5)


def test_a_picture_is_read_at_source_size_or_any_other_without_its_padding(tmp_path: Path) -> None:
    checkpoint = FolderCheckpoint(tmp_path)
    checkpoint.save_plan(PLAN)
    image = fit(picture(1, PLAN.size.scaled), PLAN.size)
    image[:, PLAN.size.scaled[0] :] = 255
    image[PLAN.size.scaled[1] :] = 255
    checkpoint.save("keyframes", 7, image)

    whole = CheckpointReader(tmp_path).picture("keyframes", 7)
    small = CheckpointReader(tmp_path).picture_at("keyframes", 7, (20, 10))

    assert np.array_equal(whole, unfit(image, PLAN.size))  # pyright: ignore[reportArgumentType]
    assert whole is not None
    assert whole.shape == (70, 86, 3)
    assert small is not None
    assert small.shape == (10, 20, 3)
    assert small.mean() < 160
    assert CheckpointReader(tmp_path).picture("frames", 7) is None


def test_pictures_of_another_size_than_planned_are_not_shown(tmp_path: Path) -> None:
    checkpoint = FolderCheckpoint(tmp_path)
    checkpoint.save_plan(PLAN)

    checkpoint.save("frames", 7, picture(1, (80, 64)))

    assert checkpoint.picture("frames", 7) is None
    assert checkpoint.picture_at("frames", 7, (8, 8)) is None


def test_without_a_plan_everything_else_is_left_over(tmp_path: Path) -> None:
    checkpoint = FolderCheckpoint(tmp_path)
    checkpoint.save_adjustments(Adjustments(size=384))
    checkpoint.save("keyframes", 7, picture(7))
    checkpoint.save_batch(batch(5))

    checkpoint.save_plan(PLAN)
    checkpoint.save("frames", 7, picture(7))
    checkpoint.save_plan(replace(PLAN, warnings=()))

    assert checkpoint.load("keyframes", 7) is None
    assert checkpoint.batch(5) is None
    assert checkpoint.has("frames", 7)
    assert checkpoint.adjustments() == Adjustments(size=384)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 99}', '{"version": 1, "x": 2}'])
def test_a_plan_that_cannot_be_read_counts_as_absent(tmp_path: Path, text: str) -> None:
    checkpoint = FolderCheckpoint(tmp_path)
    (tmp_path / "plan.json").write_text(text, "utf-8")
    (tmp_path / "adjustments.json").write_text(text, "utf-8")

    assert checkpoint.plan() is None
    assert checkpoint.adjustments() == Adjustments()


def test_a_full_disk_is_said_and_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = FolderCheckpoint(tmp_path)
    checkpoint.save_plan(PLAN)
    checkpoint.save("frames", 5, picture(5))

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(DiskFull, match="free some room"):
        checkpoint.save("frames", 5, picture(6))
    with pytest.raises(DiskFull):
        checkpoint.save_plan(replace(PLAN, warnings=()))

    assert np.array_equal(checkpoint.load("frames", 5), picture(5))  # pyright: ignore[reportArgumentType]
    assert checkpoint.plan() == PLAN
    assert not list(tmp_path.rglob("*.partial"))


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(OutputNotWritable):
        FolderCheckpoint(tmp_path / "file" / "job")


def test_a_frame_that_is_a_keyframe_takes_no_room_of_its_own(tmp_path: Path) -> None:
    checkpoint = FolderCheckpoint(tmp_path)
    checkpoint.save("keyframes", 5, picture(5))

    checkpoint.save_keyframe_as_frame(5, picture(5))
    checkpoint.save_keyframe_as_frame(6, picture(6))

    assert checkpoint.picture_path("frames", 5).samefile(checkpoint.picture_path("keyframes", 5))
    assert np.array_equal(checkpoint.load("frames", 6), picture(6))  # pyright: ignore[reportArgumentType]


def test_keeping_nothing_keeps_nothing() -> None:
    checkpoint = NoCheckpoint()
    checkpoint.save_plan(PLAN)
    checkpoint.save("frames", 1, picture(1))

    assert checkpoint.plan() is None
    assert checkpoint.load("frames", 1) is None
    assert checkpoint.adjustments() == Adjustments()


def test_a_daemon_reads_it_without_loading_networks_or_codecs() -> None:
    heavy = "{'torch', 'av', 'diffusers'}"
    code = f"import sys, fresco_engine.checkpoint; print(*{heavy} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == ""
