"""`fresco serve` as far as no daemon has to run: options become settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from fresco_server.errors import CannotStart
from fresco_server.settings import LimitSettings, ServerSettings

from tests.cli.conftest import Fresco


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[ServerSettings]:
    """The settings that a daemon would have been started with."""
    found: list[ServerSettings] = []
    monkeypatch.setattr("fresco_server.daemon.serve", found.append)
    return found


def test_without_options_the_daemon_serves_this_machine_only(
    fresco: Fresco, served: list[ServerSettings], data: Path
) -> None:
    assert fresco("serve").code == 0
    assert served == [ServerSettings(data=data)]


def test_every_option_reaches_the_settings(
    fresco: Fresco, served: list[ServerSettings], tmp_path: Path
) -> None:
    fresco(
        *("serve", "--data", tmp_path / "d", "--host", "0.0.0.0", "--port", "7400"),
        *("--device", "cpu", "--device", "cuda:1", "--root", tmp_path, "--models", tmp_path),
        *("--quota", "2G", "--max-clip", "500", "--tls-cert", "c.pem", "--tls-key", "k.pem"),
        *("--token-file", "t", "--idle-unload", "0.5", "--exit-when-idle", "30"),
    )

    assert served == [
        ServerSettings(
            data=tmp_path / "d",
            host="0.0.0.0",
            port=7400,
            devices=("cpu", "cuda:1"),
            roots=(tmp_path.resolve(),),
            model_folders=(tmp_path.resolve(),),
            tls_certificate=Path("c.pem"),
            tls_key=Path("k.pem"),
            token_file=Path("t"),
            idle_unload_s=30.0,
            idle_exit_s=1800.0,
            limits=LimitSettings(disk_bytes=2 << 30, clip_frames=500),
        )
    ]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--port", "70000"), "port: 70000 is outside 0 to 65535"),
        (("--quota", "much"), "quota: 'much' is no size"),
        (("--quota", "0"), "quota: '0' is no size"),
        (("--max-clip", "0"), "max-clip: 0 is outside 1 to"),
        (("--root", "/no/such/folder"), "root: there is no folder"),
        (("--models", "/no/such/folder"), "models: there is no folder"),
        (("--idle-unload", "0"), "idle-unload: 0 is no number of minutes above 0"),
        (("--exit-when-idle", "-1"), "exit-when-idle: -1 is no number of minutes"),
        (("--exit-when-idle", "nan"), "exit-when-idle: nan is no number of minutes"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_wrong_value_is_one_sentence(
    fresco: Fresco, served: list[ServerSettings], options: tuple[str, ...], sentence: str
) -> None:
    ended = fresco("serve", *options)

    assert ended.code == 2
    assert sentence in ended.stderr
    assert served == []


@pytest.mark.parametrize("code", [1, 2, 3])
def test_why_it_cannot_start_is_a_sentence_and_its_exit_code(
    fresco: Fresco, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def refuse(settings: ServerSettings) -> None:
        raise CannotStart("another daemon works there; use that one", exit_code=code)

    monkeypatch.setattr("fresco_server.daemon.serve", refuse)

    ended = fresco("serve")

    assert ended.code == code
    assert ended.stderr == "Error: another daemon works there; use that one\n"
