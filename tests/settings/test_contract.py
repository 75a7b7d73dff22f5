"""What the contract says of each setting is what is declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fresco_settings import Declared, RestyleSettings, parameters_of

PROTO = Path(__file__).parents[2] / "protos/fresco/v1/settings.proto"
_PARTS = {
    "attention": "AttentionSettings",
    "optimisation": "OptimisationSettings",
    "smoothing": "SmoothingSettings",
    "": "RestyleSettings",
}
WITH_RANGE = [
    one
    for one in parameters_of(RestyleSettings)
    if one.range_text and one.shape == "single" and one.name != "smoothing.stop"
]


def comment_of(name: str) -> str:
    """The comment of a setting's field, on one line."""
    part, _, field = name.rpartition(".")
    text = PROTO.read_text(encoding="utf-8")
    message = text.split(f"message {_PARTS[part]} {{")[1].split("\n}")[0]
    found = re.search(rf"((?:  // [^\n]*\n)+)  optional \w+ {field} = ", message)
    assert found is not None, name
    return " ".join(found[1].replace("//", "").split())


@pytest.mark.parametrize("parameter", WITH_RANGE, ids=lambda one: one.name)
def test_ranges_and_choices_are_those_that_the_contract_documents(parameter: Declared) -> None:
    comment = comment_of(parameter.name)

    if parameter.choices:
        assert all(f'"{choice}"' in comment for choice in parameter.choices)
    else:
        assert parameter.range_text.removesuffix(f" {parameter.unit}") in comment


@pytest.mark.parametrize(
    "parameter",
    [one for one in WITH_RANGE if one.default is not None and one.kind in ("integer", "number")],
    ids=lambda one: one.name,
)
def test_defaults_are_those_that_the_contract_documents(parameter: Declared) -> None:
    assert f"Default {parameter.default:g}" in comment_of(parameter.name)
