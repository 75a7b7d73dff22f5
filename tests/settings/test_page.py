"""The pages that list settings are those that the declarations make."""

from __future__ import annotations

from tests.settings import page


def test_the_reference_of_settings_is_current() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_the_readmes_table_of_options_is_current() -> None:
    text = page.README.read_text(encoding="utf-8")

    assert page.table() in text
    assert page.readme(text) == text
