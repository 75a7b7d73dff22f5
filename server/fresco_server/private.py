"""Files with secrets, which are taken as ssh takes keys: nobody else has a hand in them."""

from __future__ import annotations

import logging
import os
import select
import stat
from contextlib import suppress
from pathlib import Path

from fresco_server.errors import CannotStart

_LOGGER = logging.getLogger(__name__)
_MOST_BYTES = 4096
_PIPE_PATIENCE_S = 10.0
_SHORTEST = 16


def read_token(path: Path) -> str:
    """The token in a file of this user's or root's, which from then on only its user may read.

    A pipe (`--token-file <(pass fresco)`) is read as well.

    Raises:
        CannotStart: it cannot be read, others may write it, or it is no token.
    """
    try:
        token = read_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        raise CannotStart(
            f"{path}: the token cannot be read ({why_unreadable(error)}); check --token-file"
        ) from error
    if not token.isascii() or not token.isprintable() or len(token) < _SHORTEST:
        raise CannotStart(
            f"{path}: a token has 16 or more letters and digits; make one with "
            "'python -c \"import secrets; print(secrets.token_urlsafe(32))\"'"
        )
    return token


def why_unreadable(error: OSError | UnicodeDecodeError) -> str:
    """What `read_secret` met, without the number of the error and the path, which is known."""
    return getattr(error, "strerror", None) or str(error)


def read_secret(path: Path, *, is_shared: bool = False) -> str:
    """What a file, or a pipe, holds of which others must not know.

    One that `is_shared` may be another user's, and readable for a group.

    Raises:
        CannotStart: others have a hand in it.
        OSError, UnicodeDecodeError: it cannot be read.
    """
    return _read(path, is_shared=is_shared).decode("utf-8").strip()


def _read(path: Path, *, is_shared: bool) -> bytes:
    # A pipe without a writer would be waited for, and what is opened is what is checked.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        facts = os.fstat(descriptor)
        if stat.S_ISFIFO(facts.st_mode):
            return _read_pipe(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise OSError("it is a folder" if stat.S_ISDIR(facts.st_mode) else "it is no file")
        if hasattr(os, "geteuid"):
            _check(path, descriptor, facts, is_shared=is_shared)
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)


def _read_pipe(descriptor: int) -> bytes:
    content = b""
    while len(content) < _MOST_BYTES:
        ready, _, _ = select.select([descriptor], [], [], _PIPE_PATIENCE_S)
        if not ready:
            raise OSError("nobody writes into the pipe")
        part = os.read(descriptor, _MOST_BYTES)
        if not part:
            break
        content += part
    return content


def _check(path: Path, descriptor: int, facts: os.stat_result, *, is_shared: bool) -> None:
    is_own = facts.st_uid == os.geteuid()
    if not is_own and facts.st_uid != 0 and not is_shared:
        raise CannotStart(
            f"{path} belongs to another user (number {facts.st_uid}), who knows the token; make "
            "one of your own"
        )
    excess = facts.st_mode & (0o037 if is_shared else 0o077)
    if not excess:
        return
    if is_own:
        with suppress(OSError):  # Some disks refuse, others take it and change nothing.
            os.fchmod(descriptor, stat.S_IMODE(facts.st_mode) & ~excess)
        if os.fstat(descriptor).st_mode & excess:
            _LOGGER.warning("%s: others can read the token, and that cannot be changed", path)
        else:
            _LOGGER.warning("%s: others could read the token; now only its user may", path)
    elif facts.st_mode & 0o022:
        raise CannotStart(
            f"{path}: others may write the token; 'chmod go-w' it as its owner, and make a new one"
        )
