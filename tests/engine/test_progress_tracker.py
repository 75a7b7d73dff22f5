"""Time is counted per stage, and time left is said only when it is known."""

from collections.abc import Generator

import pytest
from fakes.clock import FakeClock
from fresco_engine import progress_tracker
from fresco_engine.progress_tracker import ProgressTracker, drained
from fresco_engine.types import Stage


def test_time_left_is_unknown_until_every_stage_was_measured() -> None:
    tracker = ProgressTracker()
    tracker.expect(Stage.TRANSLATING, 10)
    tracker.expect(Stage.INTERPOLATING, 100)
    tracker.seconds[Stage.TRANSLATING] = 4.0

    first = tracker.advance(Stage.TRANSLATING, 2)
    tracker.seconds[Stage.INTERPOLATING] = 5.0
    second = tracker.advance(Stage.INTERPOLATING, 50)

    assert first.remaining_s is None
    assert second.remaining_s == pytest.approx(8 * 2.0)


def test_time_left_is_unknown_while_a_clip_is_analysed() -> None:
    tracker = ProgressTracker()
    tracker.expect(Stage.ANALYSING, 100)
    tracker.seconds[Stage.ANALYSING] = 1.0

    analysing = tracker.advance(Stage.ANALYSING, 99)

    assert analysing.remaining_s is None


def test_what_took_no_time_says_nothing_about_the_time_of_the_others() -> None:
    tracker = ProgressTracker()
    tracker.expect(Stage.INTERPOLATING, 20)

    keyframe = tracker.skip(Stage.INTERPOLATING)
    tracker.spend(Stage.INTERPOLATING, 30.0)
    between = tracker.advance(Stage.INTERPOLATING, 3)

    assert keyframe.remaining_s is None
    assert between.remaining_s == pytest.approx(16 * 10.0)


def test_units_that_are_worked_on_at_once_take_a_share_of_the_time() -> None:
    tracker = ProgressTracker()
    tracker.expect(Stage.INTERPOLATING, 20, at_once=4)
    tracker.spend(Stage.INTERPOLATING, 80.0)

    progress = tracker.advance(Stage.INTERPOLATING, 8)

    assert progress.remaining_s == pytest.approx(12 * 10.0 / 4)


def test_what_goes_on_in_the_background_takes_no_time_of_its_own_unless_it_takes_longer() -> None:
    tracker = ProgressTracker()
    for stage in (Stage.TRANSLATING, Stage.ENCODING, Stage.INTERPOLATING):
        tracker.expect(stage, 10)
        tracker.seconds[stage] = 3.0
        tracker.advance(stage, 5)

    together = tracker.remaining_s()
    tracker.spend(Stage.INTERPOLATING, 9.0)
    slow_background = tracker.remaining_s()

    assert together == pytest.approx(3.0 + 3.0)
    assert slow_background == pytest.approx(12.0)


def test_what_an_earlier_run_has_done_says_nothing_about_the_time_it_takes() -> None:
    tracker = ProgressTracker()
    tracker.expect(Stage.TRANSLATING, 10)

    reused = tracker.skip(Stage.TRANSLATING, 6)
    tracker.seconds[Stage.TRANSLATING] = 5.0
    made = tracker.advance(Stage.TRANSLATING, 2)

    assert (reused.done, reused.remaining_s) == (6, None)
    assert (made.done, made.remaining_s) == (8, pytest.approx(2 * 2.5))


def test_a_job_that_begins_anew_is_not_measured_by_what_went_before() -> None:
    tracker = ProgressTracker()
    tracker.expect(Stage.TRANSLATING, 10)
    tracker.spend(Stage.TRANSLATING, 100.0)
    tracker.advance(Stage.TRANSLATING)

    tracker.expect(Stage.TRANSLATING, 4)
    tracker.spend(Stage.TRANSLATING, 2.0)
    first = tracker.advance(Stage.TRANSLATING)

    assert (first.done, first.total, first.remaining_s) == (1, 4, pytest.approx(6.0))
    assert tracker.seconds[Stage.TRANSLATING] == 102.0


def test_only_the_work_is_timed_not_the_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(progress_tracker, "time", clock)
    tracker = ProgressTracker()

    def work() -> Generator[int, None, str]:
        clock.sleep(1.0)
        yield 1
        clock.sleep(2.0)
        yield 2
        clock.sleep(4.0)
        return "done"

    def consume() -> Generator[int, None, str]:
        return (yield from tracker.timed(Stage.ANALYSING, work()))

    consumer = consume()
    next(consumer)
    clock.sleep(100.0)
    result = drained(consumer)

    assert result == "done"
    assert tracker.seconds[Stage.ANALYSING] == 7.0


def test_the_report_names_stages_that_took_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(progress_tracker, "time", clock)
    tracker = ProgressTracker()

    with tracker.measured(Stage.ENCODING):
        clock.sleep(3.0)

    assert tracker.report() == {"encoding": 3.0}
