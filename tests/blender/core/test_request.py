"""Requests, as strips keep them and as the daemon is given them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from fresco_blender.core.request import RestyleRequest

REQUEST = RestyleRequest(
    job_id="a" * 32,
    title="Straße 7",
    path="/clips/é/shot_0087.png",
    is_sequence=True,
    frame_rate="24000/1001",
    start=91,
    stop=106,
    lead=4,
    settings={"prompt": "oil", "strength": 0.5, "keyframe_prompts": {"93": "snow"}},
)


def test_what_a_strip_keeps_gives_the_same_order_back() -> None:
    assert RestyleRequest.from_json(REQUEST.to_json()) == REQUEST


@pytest.mark.parametrize("text", ["", "[]", "{", '{"job_id": "x"}', "null"])
def test_what_cannot_be_read_is_no_order(text: str) -> None:
    assert RestyleRequest.from_json(text) is None


def test_what_a_newer_version_added_is_passed_over() -> None:
    text = REQUEST.to_json().replace("{", '{"invented_later": 1, ', 1)

    assert RestyleRequest.from_json(text) == REQUEST


def test_the_daemon_counts_frames_of_a_sequence_from_its_first_file() -> None:
    settings = REQUEST.restyle_settings(first_number=87)

    assert (settings.start, settings.stop) == (4, 19)
    assert settings.keyframe_prompts == {6: "snow"}
    assert settings.prompt == "oil"
    assert REQUEST.clip.frame_rate == Fraction(24000, 1001)


def test_settings_that_this_client_does_not_know_are_left_out() -> None:
    request = RestyleRequest(
        job_id="a", title="", path="", start=0, stop=1, lead=0, settings={"invented": 1, "seed": 4}
    )

    assert request.restyle_settings().seed == 4
