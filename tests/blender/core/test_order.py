"""Orders, as strips keep them and as the daemon is given them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from fresco_blender.core.order import Order

ORDER = Order(
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
    assert Order.from_json(ORDER.to_json()) == ORDER


@pytest.mark.parametrize("text", ["", "[]", "{", '{"job_id": "x"}', "null"])
def test_what_cannot_be_read_is_no_order(text: str) -> None:
    assert Order.from_json(text) is None


def test_what_a_newer_version_added_is_passed_over() -> None:
    text = ORDER.to_json().replace("{", '{"invented_later": 1, ', 1)

    assert Order.from_json(text) == ORDER


def test_the_daemon_counts_frames_of_a_sequence_from_its_first_file() -> None:
    settings = ORDER.restyle_settings(first_number=87)

    assert (settings.start, settings.stop) == (4, 19)
    assert settings.keyframe_prompts == {6: "snow"}
    assert settings.prompt == "oil"
    assert ORDER.clip.frame_rate == Fraction(24000, 1001)


def test_settings_that_this_client_does_not_know_are_left_out() -> None:
    order = Order(
        job_id="a", title="", path="", start=0, stop=1, lead=0, settings={"invented": 1, "seed": 4}
    )

    assert order.restyle_settings().seed == 4
