"""`fresco models` from the outside."""

from __future__ import annotations

import json

from tests.cli.conftest import Fresco
from tests.fakes.engine import FakeEngine, bundled_entry


def test_models_are_listed_with_state_and_size(fresco: Fresco, engine: FakeEngine) -> None:
    engine.models = (bundled_entry(),)

    ended = fresco("models", "list")

    assert ended.code == 0
    assert all(word in ended.stdout for word in ("negative", "bundled", "12 MB", "48 MB"))


def test_a_model_that_cannot_be_used_says_why(fresco: Fresco, engine: FakeEngine) -> None:
    engine.models = (bundled_entry(problem="it is incomplete; get it again"),)

    ended = fresco("models", "list")

    assert "negative: it is incomplete; get it again" in ended.stdout


def test_models_are_listed_as_json(fresco: Fresco, engine: FakeEngine) -> None:
    engine.models = (bundled_entry(),)

    ended = fresco("models", "list", "--json")

    (entry,) = json.loads(ended.stdout)
    assert (entry["name"], entry["state"]) == ("negative", "bundled")
