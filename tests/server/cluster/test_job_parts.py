"""The parts of one job, as its run asks for them and devices bring them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresco_client.values import Failure
from fresco_engine.checkpoint import FolderCheckpoint, ScratchCheckpoint
from fresco_engine.diffusion.models import load_model
from fresco_engine.errors import OutOfDeviceMemory
from fresco_engine.lazy_model import LazyModel
from fresco_engine.parts import make_plan
from fresco_engine.settings import RestyleSettings
from fresco_media.clip import Clip
from fresco_server.cluster.errors import PartStopped
from fresco_server.cluster.job_parts import JobParts, TakenPart
from fresco_server.cluster.orders import Looked, Needs, PartEnded, PartWarned, Stepped, Stored
from fresco_server.jobs.job import JobOrder
from fresco_server.jobs.messages import RunJob
from fresco_server.worker.faults import KnownFailure

from tests.engine.conftest import scene, write_clip

SETTINGS = RestyleSettings(prompt="blue", size=64, batch_size=3, keyframe_min=2, keyframe_max=4)
FAILURE = Failure(reason="MODEL_NOT_FOUND", message="the model is missing")


class Queue:
    """Counts how often devices are told to look."""

    count = 0

    def wake(self) -> None:
        """Look."""
        self.count += 1


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """A shot with several batches."""
    return write_clip(tmp_path / "clip.mp4", scene(20))


@pytest.fixture
def parts(tmp_path: Path, clip: Path) -> JobParts:
    """The parts of a job that has yet to be planned."""
    order = JobOrder(clip=str(clip), settings=SETTINGS.as_dict())
    run = RunJob(job="the-job", folder=str(tmp_path / "job"), order=order, restarts=0)
    (tmp_path / "job").mkdir()
    return JobParts(run, Needs(), FolderCheckpoint(tmp_path / "job"), Queue())


@pytest.fixture
def planned(parts: JobParts, clip: Path, tmp_path: Path) -> JobParts:
    """The same with its plan, which a device has brought."""
    asked = parts.plan()
    threading.Thread(target=lambda: list(asked)).start()
    taken = wait_to_take(parts)
    scratch = ScratchCheckpoint(tmp_path / "scratch")
    list(
        make_plan(
            Clip.open(clip), SETTINGS, LazyModel(lambda: load_model(None, device="cpu")), scratch
        )
    )
    parts.hand_in(taken, Looked(20, 20))
    parts.hand_in(taken, Stored(tuple(scratch.taken())))
    parts.hand_in(taken, PartEnded(is_made=True))
    return parts


def wait_to_take(parts: JobParts) -> TakenPart:
    """The next part, which there will be."""
    for _ in range(2000):
        taken = parts.take()
        if taken is not None:
            return taken
        threading.Event().wait(0.01)
    raise AssertionError("there is nothing to make")


def asked(parts: JobParts, done: int = 0) -> Iterator[object]:
    """What the run hears while it waits for a batch."""
    return parts.batch(keyframes(parts)[done])


def keyframes(parts: JobParts) -> tuple[int, ...]:
    """Those of the only shot."""
    plan = parts._checkpoint.plan()  # pyright: ignore[reportPrivateUsage]
    assert plan is not None
    return plan.keyframes


def begun(parts: JobParts) -> tuple[Iterator[object], TakenPart]:
    """A run that waits for its first batch, which a device has taken."""
    items: list[object] = []
    error: list[BaseException] = []

    def listen() -> None:
        try:
            items.extend(asked(parts))
        except BaseException as fault:  # noqa: BLE001 - looked at by the test
            error.append(fault)

    thread = threading.Thread(target=listen)
    thread.start()
    taken = wait_to_take(parts)

    def ended() -> Iterator[object]:
        thread.join(60)
        assert not thread.is_alive()
        if error:
            raise error[0]
        yield from items

    return ended(), taken


def test_before_there_is_a_plan_only_that_is_to_be_made(parts: JobParts) -> None:
    assert parts.take() is None
    waiting = parts.plan()
    thread = threading.Thread(target=lambda: list(waiting), daemon=True)
    thread.start()

    taken = wait_to_take(parts)

    assert taken.order.part is None
    assert taken.order.files == ()
    assert parts.take() is None
    parts.hand_in(taken, PartEnded(is_made=True))
    thread.join(60)
    assert not thread.is_alive()


def test_steps_and_warnings_reach_the_run_while_it_waits(planned: JobParts) -> None:
    heard, taken = begun(planned)

    planned.hand_in(taken, Stepped(2))
    planned.hand_in(taken, PartWarned("the subject was not found"))
    planned.hand_in(taken, PartEnded(failure=FAILURE))

    with pytest.raises(KnownFailure, match="the model is missing"):
        list(heard)


def test_a_part_that_is_lost_again_and_again_ends_the_job(planned: JobParts) -> None:
    heard, taken = begun(planned)

    for _ in range(3):
        planned.lose(taken, "killed")
        taken = planned.take() or taken

    with pytest.raises(KnownFailure, match="ended 3 times without getting further") as told:
        list(heard)
    assert told.value.failure.reason == "WORKER_LOST"


def test_a_part_that_is_given_back_may_be_given_back_without_end(planned: JobParts) -> None:
    heard, taken = begun(planned)

    for _ in range(20):
        planned.give_back(taken)
        taken = wait_to_take(planned)

    planned.stop()
    with pytest.raises(PartStopped):
        list(heard)


def test_what_comes_after_the_end_is_not_stored(planned: JobParts) -> None:
    heard, taken = begun(planned)
    planned.hand_in(taken, PartEnded(failure=FAILURE))

    planned.hand_in(taken, Stored((("keyframes/000000.png", b"late"),)))

    with pytest.raises(KnownFailure):
        list(heard)
    assert not planned._checkpoint.has("keyframes", 0)  # pyright: ignore[reportPrivateUsage]


def test_a_file_that_no_checkpoint_has_ends_the_job_and_is_not_stored(planned: JobParts) -> None:
    heard, taken = begun(planned)

    planned.hand_in(taken, Stored((("../outside.png", b"x"),)))

    with pytest.raises(ValueError, match="no file of a checkpoint"):
        list(heard)


def test_a_full_device_is_told_as_one_so_that_the_run_can_begin_anew(planned: JobParts) -> None:
    heard, taken = begun(planned)

    failure = Failure(reason="OUT_OF_DEVICE_MEMORY", message="the device is full")
    planned.hand_in(taken, PartEnded(failure=failure))

    with pytest.raises(OutOfDeviceMemory, match="the device is full"):
        list(heard)


def test_the_last_machine_that_lacks_something_ends_the_job_which_can_go_on_later(
    planned: JobParts,
) -> None:
    heard, taken = begun(planned)
    planned.bar("one", FAILURE)
    planned.give_back(taken)

    planned.bar("two", FAILURE)
    planned.give_up(FAILURE)

    with pytest.raises(KnownFailure) as told:
        list(heard)
    assert told.value.failure.can_resume
    assert set(planned.barred) == {"one", "two"}
