"""Letters that bring the keyboard to fields: each label gets one of its own that is still free."""

from __future__ import annotations

import re
from collections.abc import Sequence

from PyQt6.QtGui import QAction, QKeySequence
from PyQt6.QtWidgets import QAbstractButton, QLabel, QTabBar, QWidget

_MARKED = re.compile(r"(?<!&)&([^&])")


def give_letters(window: QWidget, labels: Sequence[QLabel]) -> None:
    """Mark a letter in each label of a field, none of which does anything else in the window.

    Titles of settings come from the daemon and are translated, so that no letter can be marked in
    them beforehand.
    """
    for label in labels:
        label.setText(_MARKED.sub(r"\1", label.text()))
    taken = _taken(window)
    texts = [label.text() for label in labels]
    for label, place in zip(labels, chosen_letters(texts, taken), strict=True):
        if place is not None:
            text = label.text()
            label.setText(f"{text[:place]}&{text[place:]}")


def chosen_letters(texts: Sequence[str], taken: frozenset[str]) -> list[int | None]:
    """Where in each text its letter is, no two the same; None where none is left.

    As many texts as possible get one; of two that want the same the one that has another gives way.
    """
    holders: dict[str, int] = {}

    def find(number: int, tried: set[str]) -> bool:
        for letter in map(str.upper, texts[number]):
            if not letter.isalpha() or letter in taken or letter in tried:
                continue
            tried.add(letter)
            if letter not in holders or find(holders[letter], tried):
                holders[letter] = number
                return True
        return False

    for number in range(len(texts)):
        find(number, set())
    letters = {number: letter for letter, number in holders.items()}
    return [_place_of(letters.get(number), text) for number, text in enumerate(texts)]


def _place_of(letter: str | None, text: str) -> int | None:
    return next((place for place, one in enumerate(text) if one.upper() == letter), None)


def _taken(window: QWidget) -> frozenset[str]:
    """Letters that do something with Alt in the window, whether it is seen just now or not."""
    texts = [one.text() for one in window.findChildren(QAbstractButton)]
    texts += [one.text() for one in window.findChildren(QLabel) if one.buddy() is not None]
    for bar in window.findChildren(QTabBar):
        texts += [bar.tabText(place) for place in range(bar.count())]
    found = {letter.upper() for text in texts for letter in _MARKED.findall(text)}
    for one in window.findChildren(QAction):
        found.update(letter.upper() for letter in _MARKED.findall(one.text()))
        for keys in one.shortcuts():
            told = keys.toString(QKeySequence.SequenceFormat.PortableText)
            if re.fullmatch(r"Alt\+\w", told):
                found.add(told[-1])
    return frozenset(found)
