"""The error tree and its texts."""

from __future__ import annotations

from pathlib import Path

import fresco_client.errors as module
import pytest
from fresco_client import errors
from fresco_client.files import make_folder, write_whole


def classes() -> list[type[errors.ClientError]]:
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type)]
    return [kind for kind in kinds if issubclass(kind, errors.ClientError)]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    lines = [line for line in (module.__doc__ or "").splitlines() if "── " in line]
    drawn = [(line.split()[-1], line) for line in lines]
    names = {line.partition("── ")[2].split()[0]: line for _, line in drawn}

    assert set(names) == {kind.__name__ for kind in classes()} - {"ClientError"}
    for kind in classes():
        if kind not in {errors.ClientError, errors.CallFailed}:
            is_call = names[kind.__name__].startswith("    ")
            assert issubclass(kind, errors.CallFailed) == is_call, kind


@pytest.mark.parametrize(
    "error",
    [
        errors.DaemonNotFound(Path("/data")),
        errors.DaemonNotInstalled(Path("/data")),
        errors.DaemonFailedToStart("ended", Path("/data/daemon.log"), "no memory"),
        errors.DaemonUnreachable("a:1", "connection refused"),
        errors.DaemonSilent(Path("/data"), "a:1", 7, Path("/data/daemon.log")),
        errors.NotAuthorised("a:1", ""),
        errors.SessionClosed(),
        errors.FileFailed.from_os(Path("/a b.mp4"), PermissionError(13, "Permission denied")),
        errors.NotFound("There is no such job. List them."),
        errors.TimedOut(""),
    ],
    ids=lambda error: type(error).__name__,
)
def test_every_text_is_a_sentence(error: errors.ClientError) -> None:
    first, *_ = error.message.splitlines()

    assert first[0].isupper() or first.startswith("/")
    assert first.rstrip()[-1] in ".:"


def test_a_failed_start_carries_the_last_log_lines() -> None:
    error = errors.DaemonFailedToStart("ended", Path("/d/daemon.log"), "one\ntwo")

    assert error.log_tail == "one\ntwo"
    assert "one\ntwo" in error.message


def test_a_status_of_another_version_is_a_version_mismatch() -> None:
    error = errors.error_of_status(9, "Update this program.", "VERSION_MISMATCH", "a:1")

    assert type(error) is errors.VersionMismatch
    assert error.message == "Update this program."


def test_a_setting_that_is_wrong_is_called_by_its_title() -> None:
    error = errors.error_of_status(
        3, "guidance_scale: 99 is outside 0 to 50", "INVALID_SETTINGS", "a:1", "guidance_scale"
    )

    assert isinstance(error, errors.InvalidRequest)
    assert (error.field, error.message) == ("guidance_scale", "Guidance: 99 is outside 0 to 50")


@pytest.mark.parametrize(
    ("code", "details", "kind", "words"),
    [
        (4, "Deadline Exceeded", errors.TimedOut, "did not answer in time"),
        (12, "Method not found!", errors.NotSupported, "does not know the call; update it"),
        (14, "Socket closed", errors.DaemonUnreachable, "(the connection was lost)"),
        (14, "GOAWAY received", errors.DaemonUnreachable, "(it is shutting down)"),
        (14, "keepalive watchdog timeout", errors.DaemonUnreachable, "(no answer)"),
        (14, "", errors.DaemonUnreachable, "(no answer)"),
        (
            *(14, "failed to connect to all addresses; last error: UNKNOWN: ipv4:1: refused"),
            *(errors.DaemonUnreachable, "(connection refused)"),
        ),
        (
            *(14, "DNS resolution failed for nowhere:1: not found"),
            *(errors.DaemonUnreachable, "(there is no computer of this name)"),
        ),
    ],
)
def test_what_grpc_says_itself_is_told_in_words_of_a_person(
    code: int, details: str, kind: type[errors.ClientError], words: str
) -> None:
    error = errors.error_of_status(code, details, "", "a:1")

    assert type(error) is kind
    assert words in error.message
    assert not details or details not in error.message


def test_what_the_daemon_says_is_told_as_it_is() -> None:
    error = errors.error_of_status(4, "The clip took too long to read.", "CLIP_SLOW", "a:1")

    assert error.message == "The clip took too long to read."


def test_an_unknown_status_is_an_internal_failure() -> None:
    assert type(errors.error_of_status(77, "What?", "", "a:1")) is errors.InternalFailure


@pytest.mark.parametrize("inside", ["", "deeper", "deeper/still"])
def test_a_file_in_the_place_of_a_folder_is_named_with_what_to_do(
    tmp_path: Path, inside: str
) -> None:
    (tmp_path / "s.mp4").write_bytes(b"a film")
    folder = tmp_path / "s.mp4" / inside

    with pytest.raises(errors.FileFailed) as raised:
        make_folder(folder)
    with pytest.raises(errors.FileFailed) as written:
        write_whole(folder / "a.json", "{}")

    said = (
        f"{tmp_path / 's.mp4'}: it is a file, and a folder is needed there. Choose another place."
    )
    assert raised.value.message == written.value.message == said


def test_other_faults_of_a_folder_are_said_in_the_words_of_the_system(tmp_path: Path) -> None:
    long = "n" * 300

    with pytest.raises(errors.FileFailed, match="too long"):
        make_folder(tmp_path / long)


def test_a_folder_in_a_files_place_is_said_to_be_one() -> None:
    fault = errors.FileFailed.from_os(Path("out.mp4"), IsADirectoryError(21, "Is a directory"))

    assert str(fault) == "out.mp4: it is a folder, and a file is to be there. Choose another name."
