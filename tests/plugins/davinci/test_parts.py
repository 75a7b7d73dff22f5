"""Rates, timecodes, choices, pending jobs and undoing."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from fresco_client import Job, JobState, Stage, StageProgress
from fresco_davinci.choices import StoredChoices, choices_of, load_choices, save_choices
from fresco_davinci.controller import progress_of
from fresco_davinci.errors import HostGone, HostRefused
from fresco_davinci.pending_jobs import PendingJob, PendingJobStore
from fresco_davinci.plugin_folders import PluginFolders
from fresco_davinci.rates import exact_rate
from fresco_davinci.rollback import retry_once, rolled_back_on_failure
from fresco_settings.timecode import frame_of
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.resolve.state import timecode_of

PENDING = PendingJob(
    job_id="3f2a",
    project_id="p",
    timeline_id="t",
    item_id="i",
    name="shot é.mov",
    start=86400,
    duration=24,
    left=3,
    first=86402,
    count=20,
    rate="24000/1001",
    color="Teal",
    choices=StoredChoices(prompt="ink", place="take"),
)


@pytest.mark.parametrize(
    ("told", "rate"),
    [
        (23.976, Fraction(24000, 1001)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("29.97 DF", Fraction(30000, 1001)),
        (29.970029, Fraction(30000, 1001)),
        (59.94, Fraction(60000, 1001)),
        ("119.88", Fraction(120000, 1001)),
        (24.0, Fraction(24)),
        ("25", Fraction(25)),
        ("12.5", Fraction(25, 2)),
        (0.0, None),
        ("", None),
        (None, None),
    ],
    ids=str,
)
def test_rates_are_exact(told: object, rate: Fraction | None) -> None:
    assert exact_rate(told) == rate


@given(frame=st.integers(0, 24 * 3600 * 25))
@pytest.mark.parametrize("rate", [24, 25, 30, 60])
@pytest.mark.parametrize("is_drop_frame", [False, True], ids=["", "drop"])
def test_timecodes_lead_to_their_frames(frame: int, rate: int, is_drop_frame: bool) -> None:
    if is_drop_frame and rate % 30:
        return
    exact = Fraction(rate * 1000, 1001) if is_drop_frame else Fraction(rate)

    assert frame_of(timecode_of(frame, rate, is_drop_frame=is_drop_frame), exact) == frame


def test_what_is_no_timecode_is_none() -> None:
    for text in ("", "01:00", "a:b:c:d", "01:00:00"):
        assert frame_of(text, Fraction(24)) is None


def test_choices_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "settings.json"
    choices = StoredChoices(prompt="tuš", style="oil", strength=0.4, seed=3, place="track", track=2)

    save_choices(path, choices)

    assert load_choices(path) == choices
    assert [found.name for found in path.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize(
    "content", ["", "[]", "null", "7", '{"prompt": 7}', '{"place": "moon", "strength": true}']
)
def test_broken_settings_are_the_defaults(content: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)

    assert load_choices(path) == StoredChoices()


def test_settings_of_an_earlier_version_are_read() -> None:
    earlier = {"prompt": "ink", "style": "", "negative_prompt": "", "strength": None, "preset": ""}

    assert choices_of({**earlier, "seed": 3, "place": "take"}) == StoredChoices(
        prompt="ink", seed=3, place="take"
    )


def test_settings_of_a_later_version_are_read_as_far_as_they_are_known() -> None:
    assert choices_of({"prompt": "ink", "mood": "calm"}) == StoredChoices(prompt="ink")


def test_orders_outlive_the_process(tmp_path: Path) -> None:
    book = PendingJobStore(tmp_path)
    book.save(PENDING)
    book.save(replace(PENDING, job_id="77", project_id="other"))
    (tmp_path / "broken.json").write_text('{"job_id": ')

    assert list(PendingJobStore(tmp_path).of_project("p")) == [PENDING]
    assert book.submitted(PENDING).is_submitted
    book.remove(PENDING)
    assert list(PendingJobStore(tmp_path).of_project("p")) == []
    assert (tmp_path / "broken.json").exists()


def test_renders_that_no_order_needs_are_removed_after_a_day(tmp_path: Path) -> None:
    renders = tmp_path / "renders"
    (renders / "render-torn").mkdir(parents=True)
    for name in ("needed.mov", "left.mov", "fresh.mov"):
        (renders / name).touch()
    for name in ("needed.mov", "left.mov", "render-torn"):
        os.utime(renders / name, (0, 0))
    book = PendingJobStore(tmp_path / "orders")
    book.save(replace(PENDING, rendered=str(renders / "needed.mov")))

    book.drop_renders(renders)

    assert sorted(path.name for path in renders.iterdir()) == ["fresh.mov", "needed.mov"]


def test_steps_are_taken_back_last_first_and_twice_if_need_be() -> None:
    done: list[str] = []
    attempts = iter([HostRefused("DeleteTrack"), None])

    def stubborn() -> None:
        error = next(attempts)
        if error:
            raise error
        done.append("second")

    with pytest.raises(ValueError, match="boom"), rolled_back_on_failure() as later:  # noqa: PT012
        later(lambda: done.append("first"))
        later(stubborn)
        raise ValueError("boom")

    assert done == ["second", "first"]


def test_nothing_is_taken_back_when_all_went_well() -> None:
    done: list[str] = []

    with rolled_back_on_failure() as later:
        later(lambda: done.append("first"))

    assert done == []


def test_when_resolve_is_gone_the_first_error_is_told() -> None:
    def gone() -> None:
        raise HostGone("closed")

    with pytest.raises(HostRefused), rolled_back_on_failure() as later:  # noqa: PT012
        later(gone)
        raise HostRefused("AddTrack")
    with pytest.raises(HostGone):
        retry_once(gone)


@pytest.mark.parametrize(
    ("name", "fit"),
    [("A/B: film?", "A_B_ film_"), ("..", "untitled"), ("100%", "100_"), ("é" * 200, "é" * 80)],
)
def test_results_have_names_that_every_file_system_takes(
    name: str, fit: str, tmp_path: Path
) -> None:
    plugin_folders = PluginFolders(data=tmp_path, videos=tmp_path / "Videos")

    path = plugin_folders.result(name, "shot.0001.mov", "0123456789", ".mp4")

    assert path == tmp_path / "Videos" / fit / "shot.0001 01234567.mp4"


def test_an_order_is_plain_json(tmp_path: Path) -> None:
    PendingJobStore(tmp_path).save(PENDING)

    content: dict[str, Any] = json.loads((tmp_path / "3f2a.json").read_text("utf-8"))

    assert content["rate"] == "24000/1001"
    assert content["choices"]["place"] == "take"


def test_the_percentage_in_words_is_that_of_the_whole_job_as_the_bar_shows_it() -> None:
    progress = (
        StageProgress(stage=Stage.ANALYSING, done=4, total=4),
        StageProgress(stage=Stage.TRANSLATING, done=3, total=3),
        StageProgress(stage=Stage.INTERPOLATING, done=1, total=25),
    )
    job = Job(id="3f2a", state=JobState.INTERPOLATING, progress=progress)
    assert job.share == pytest.approx(0.03 + 0.57 + 0.37 / 25)
    assert progress_of(job) == "frames 1/25, 61%, estimating…"


@pytest.mark.parametrize(
    "name", ["\U0001f3a8" * 80, "映" * 90, "x" * 300, "..", "a\udcffb", "50%d/\n"]
)
def test_results_have_names_that_fit_on_every_disk(tmp_path: Path, name: str) -> None:
    plugin_folders = PluginFolders(data=tmp_path, videos=tmp_path / "videos")

    path = plugin_folders.result(name, f"{name}.mov", "0123456789", ".mp4")
    path.parent.mkdir(parents=True)
    path.touch()

    assert path.parent.parent == tmp_path / "videos"
    assert "%" not in path.name
