"""How the process of a cluster finds out what is at an address."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from fresco_server.cluster import program

NO_RAY = "what is there does not answer as Ray does"
REFUSED = "Failed to connect"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user without a token."""
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.setenv(name, "")  # So that it is as before after the test.
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def listening() -> Iterator[str]:
    """The address of a program that says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


class _Tries:
    """What Ray answers in each way, and the ways that were tried."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **answers: str | None) -> None:
        self.modes: list[str] = []
        self._answers = answers
        monkeypatch.setattr(program, "_refusal", self._answer)

    def _answer(self, _: str, mode: str) -> str | None:
        self.modes.append(mode)
        return self._answers[mode]


@pytest.mark.parametrize("address", ["", ":", "studio1", ":6379", "--port", "studio1:", "a:-1"])
def test_what_is_no_address_is_said_to_be_none(address: str) -> None:
    told = program._join(address)  # pyright: ignore[reportPrivateUsage]

    assert told is not None
    assert "that is no address" in told or "Ray is not installed" in told
    assert "invalid literal" not in told


def test_where_something_else_listens_that_is_said(
    listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "_TRY_S", 3.0)

    assert program._problem_at(listening) == NO_RAY  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("given", ["file", "variable", "path"])
def test_a_token_is_used_where_it_is_needed(
    listening: str, monkeypatch: pytest.MonkeyPatch, home: Path, given: str
) -> None:
    match given:
        case "file":
            (home / ".ray").mkdir()
            (home / ".ray" / "auth_token").write_text("secret", "utf-8")
        case "variable":
            monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
        case _:
            monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(home / "token"))
    tries = _Tries(monkeypatch, disabled=REFUSED, token=None)

    assert program._problem_at(listening) is None  # pyright: ignore[reportPrivateUsage]

    assert tries.modes == ["disabled", "token"]
    assert program.os.environ["RAY_AUTH_MODE"] == "token"


def test_without_a_token_none_is_tried(listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tries = _Tries(monkeypatch, disabled=REFUSED)

    assert program._problem_at(listening) == REFUSED  # pyright: ignore[reportPrivateUsage]

    assert tries.modes == ["disabled"]
    assert "RAY_AUTH_MODE" not in program.os.environ


def test_what_the_user_has_chosen_is_all_that_is_tried(
    listening: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    tries = _Tries(monkeypatch, token=REFUSED)

    assert program._problem_at(listening) == REFUSED  # pyright: ignore[reportPrivateUsage]

    assert tries.modes == ["token"]


def test_what_is_no_ray_is_not_tried_again(listening: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    tries = _Tries(monkeypatch, disabled=NO_RAY)

    assert program._problem_at(listening) == NO_RAY  # pyright: ignore[reportPrivateUsage]

    assert tries.modes == ["disabled"]
