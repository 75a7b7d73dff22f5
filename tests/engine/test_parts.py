"""Parts of a run that are made elsewhere, in any order that they bear: the same, byte for byte."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fresco_engine.checkpoint import KINDS, FolderCheckpoint, ScratchCheckpoint, store_file
from fresco_engine.diffusion.model import Model
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.interpolation.keyframe_span import KeyframeSpan
from fresco_engine.lazy_model import LazyModel
from fresco_engine.parts import (
    BatchPart,
    Part,
    SpanPart,
    files_for,
    is_stored,
    make_batch,
    make_frames_of,
    make_plan,
    parts_of,
)
from fresco_engine.progress_tracker import ProgressTracker
from fresco_engine.restyling import restyle
from fresco_engine.settings import RestyleSettings
from fresco_engine.types import Event, Progress, RunRestarted, RunWarned, Stage
from fresco_media.clip import Clip

from tests.engine.conftest import scene, write_clip
from tests.engine.runs import (
    JOBS,
    SETTINGS,
    contents,
    frames_of,
    keyframes_of,
    same_pictures,
    settings_of,
    taken,
)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Clip:
    """Two shots with several batches each."""
    path = tmp_path_factory.mktemp("clip") / "two shots.mp4"
    return Clip.open(write_clip(path, scene(32, cut_at=20)))


class OtherMachine:
    """Makes parts in folders of its own, which begin with what `files_for` says and no more.

    Before it makes the part that is asked for, it makes others as `chance` has it.
    """

    def __init__(
        self, clip: Clip, settings: RestyleSettings, model: Model, folder: Path, chance: int
    ) -> None:
        self.made: list[Part] = []
        self._clip = clip
        self._settings = settings
        self._model = model
        self._checkpoint = FolderCheckpoint(folder)
        self._found = {kind: set(self._checkpoint.indices(kind)) for kind in KINDS}
        self._folder = folder.parent / f"{folder.name} elsewhere"
        self._chance = random.Random(chance)
        self._lock = threading.Lock()

    def plan(self) -> Generator[tuple[float, float], None, None]:
        """As the protocol says."""
        scratch = self._scratch(())
        for item in make_plan(self._clip, self._settings, LazyModel(self._model), scratch):
            if isinstance(item, Progress):
                yield item.done, item.total
        self._take(scratch)

    def batch(self, first: int) -> Generator[int | RunWarned, None, bool]:
        """As the protocol says."""
        while self._batch_at(first) is not None:
            for item in self._make_one():
                yield item if isinstance(item, RunWarned) else 1
        return first not in self._found["keyframes"]

    def frames(self, span: KeyframeSpan, check: Callable[[], None]) -> int:
        """As the protocol says."""
        while any(isinstance(p, SpanPart) and p.span == span for p in self._open()):
            check()
            self._make_one()
        return sum(index in self._found["frames"] for index in span.frames)

    def _batch_at(self, first: int) -> Part | None:
        found = (p for p in self._open() if isinstance(p, BatchPart) and p.batch.new[0] == first)
        return next(found, None)

    def _open(self, is_wanted: Callable[[Part], bool] = lambda _: True) -> list[Part]:
        plan = self._checkpoint.plan()
        assert plan is not None
        parts = parts_of(plan, self._checkpoint)
        return [p for p in parts if not is_stored(p, self._checkpoint) and is_wanted(p)]

    def _make_one(self) -> list[Progress | RunWarned]:
        # The run asks on two threads.
        with self._lock:
            possible = self._open(self._can_be_made)
            return list(self._make(self._chance.choice(possible))) if possible else []

    def _make(self, part: Part) -> Iterator[Progress | RunWarned]:
        self.made.append(part)
        scratch = self._scratch(files_for(part, self._checkpoint))
        plan = scratch.plan()
        assert plan is not None
        model = LazyModel(self._model, "cpu")
        if isinstance(part, BatchPart):
            yield from make_batch(self._clip, plan, model, scratch, part)
        else:
            list(make_frames_of(self._clip, plan, model, scratch, part, lambda: None))
        self._take(scratch)

    def _can_be_made(self, part: Part) -> bool:
        if isinstance(part, BatchPart):
            return all(self._checkpoint.batch(key) is not None for key in part.records)
        return all(self._checkpoint.has("keyframes", key) for key in part.keyframes)

    def _scratch(self, files: object) -> ScratchCheckpoint:
        number = len(list(self._folder.glob("*"))) if self._folder.exists() else 0
        return ScratchCheckpoint(self._folder / str(number), files)  # pyright: ignore[reportArgumentType]

    def _take(self, scratch: ScratchCheckpoint) -> None:
        for name, data in scratch.taken():
            store_file(self._checkpoint, name, data)


def no_model() -> Model:
    """What is not asked for where everything is made elsewhere."""
    raise AssertionError("no model is needed here")


def made_elsewhere(
    clip: Clip, settings: RestyleSettings, model: Model, folder: Path, chance: int = 0
) -> Generator[Event, None, None]:
    """The events of a run whose parts are made elsewhere."""
    folder.mkdir(exist_ok=True)
    return restyle(
        clip,
        settings,
        no_model,
        checkpoint=FolderCheckpoint(folder),
        remote=OtherMachine(clip, settings, model, folder, chance),
    )


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("chance", range(2))
def test_parts_made_elsewhere_give_the_same_files(
    clip: Clip, tiny_model: Model, tmp_path: Path, job: str, chance: int
) -> None:
    whole = list(restyle(clip, JOBS[job], tiny_model, checkpoint=FolderCheckpoint(tmp_path / "a")))

    events = list(made_elsewhere(clip, JOBS[job], tiny_model, tmp_path / "b", chance))

    assert same_pictures(events, whole)
    assert [e.index for e in keyframes_of(events)] == [e.index for e in keyframes_of(whole)]
    assert [e.quality for e in frames_of(events)] == [e.quality for e in frames_of(whole)]
    assert contents(tmp_path / "b") == contents(tmp_path / "a")


def test_a_run_made_elsewhere_can_be_stopped_and_go_on_anywhere(
    clip: Clip, tiny_model: Model, tmp_path: Path
) -> None:
    whole = list(restyle(clip, SETTINGS, tiny_model, checkpoint=FolderCheckpoint(tmp_path / "a")))
    for count in (len(whole) // 3, len(whole) // 2):
        taken(made_elsewhere(clip, SETTINGS, tiny_model, tmp_path / "b"), count)
    checkpoint = FolderCheckpoint(tmp_path / "b")
    taken(restyle(clip, SETTINGS, tiny_model, checkpoint=checkpoint), 2 * len(whole) // 3)

    events = list(made_elsewhere(clip, SETTINGS, tiny_model, tmp_path / "b"))

    assert same_pictures(events, whole)
    assert contents(tmp_path / "b") == contents(tmp_path / "a")


def test_what_is_made_elsewhere_counts_as_made_and_not_as_found(
    clip: Clip, tiny_model: Model, tmp_path: Path
) -> None:
    settings, folder = replace(SETTINGS, stop=20), tmp_path / "b"
    folder.mkdir()
    tracker = ProgressTracker()
    remote = OtherMachine(clip, settings, tiny_model, folder, 0)
    checkpoint = FolderCheckpoint(folder)
    run = restyle(clip, settings, no_model, checkpoint=checkpoint, tracker=tracker, remote=remote)

    steps = [e for e in run if isinstance(e, Progress) and e.stage is Stage.INTERPOLATING]

    assert not any(tracker.reused.values())
    assert steps[-1].done == steps[-1].total == 20
    again = list(made_elsewhere(clip, settings, tiny_model, folder))
    assert len(frames_of(again)) == 20


@pytest.mark.parametrize("job", ["restyle", "anchors first"])
def test_where_a_machine_has_too_little_memory_all_go_on_with_smaller_batches(
    clip: Clip, tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, job: str
) -> None:
    from fresco_engine import translation

    real = translation.translate

    def full(model: Model, batch: object, *others: object) -> object:
        if len(batch.images) > 3:  # pyright: ignore[reportAttributeAccessIssue]
            raise OutOfDeviceMemory("translating", None, None)
        return real(model, batch, *others)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(translation, "translate", full)

    events = list(made_elsewhere(clip, JOBS[job], tiny_model, tmp_path / "b"))

    assert [event.frame.index for event in frames_of(events)] == list(range(32))
    lowered = FolderCheckpoint(tmp_path / "b").adjustments().batch_size
    assert lowered == 3


def test_a_run_begins_anew_at_a_smaller_size_without_a_model_of_its_own(
    clip: Clip, tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fresco_engine import translation

    real = translation.translate
    settings = replace(SETTINGS, size=344, stop=4, keyframes=(0, 3))

    def full(model: Model, batch: object, *others: object) -> object:
        if min(batch.images[0].shape[:2]) > 300:  # pyright: ignore[reportAttributeAccessIssue]
            raise OutOfDeviceMemory("translating", None, None)
        return real(model, batch, *others)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(translation, "translate", full)

    events = list(made_elsewhere(clip, settings, tiny_model, tmp_path / "b"))

    assert any(isinstance(event, RunRestarted) for event in events)
    assert settings_of(events).size == 256
    assert len(frames_of(events)) == 4


@pytest.mark.parametrize(
    "name", ["../plan.json", "plan.json/../x", "keyframes/1.png", "job.json", "batches/000001.png"]
)
def test_only_files_of_a_checkpoint_are_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no file of a checkpoint"):
        store_file(FolderCheckpoint(tmp_path), name, b"")
