"""A mailbox of files: how Resolve's free edition is reached, whose Lua has no way out but this.

In a folder that only its user can read, we write `companion.lua`, a heartbeat, and `request.lua`,
a message; the script reads them with `loadfile`. It answers through Fusion's preferences, the
only file it can have written: a word in Fusion.prefs that carries session, number, length and
checksum, so that what is torn, old or another's is told apart from an answer.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from filelock import FileLock, Timeout
from fresco_client import FileFailed
from fresco_client.files import write_whole

from fresco_davinci.bridge.lua import lua_chunk
from fresco_davinci.bridge.remote import Message
from fresco_davinci.errors import HostGone, InstallFailed

VERSION = 1
ANSWER_S = 90.0
"""Longer than any call takes: the longest is the import of many pictures."""
_HEARTBEAT_S = 0.5
_POLL_S = 0.02
_LARGEST = 8 << 20
_WORD = re.compile(
    rb"FRESCO1:([0-9a-f]{16}):([0-9A-Za-z]{1,40}):(\d{1,9}):(\d{1,7}):(\d{1,10}):((?:[0-9a-f]{2})*)"
)


@dataclass(frozen=True)
class Answer:
    """An answer as it stood in Fusion's preferences, whole."""

    session: str
    owner: str
    """The run of the script that gave it."""
    number: int
    content: Message


def answers_in(text: bytes) -> Iterable[Answer]:
    """Every whole answer in a file; what is torn or forged is passed over."""
    for found in _WORD.finditer(text):
        session, owner, number, length, checksum, digits = found.groups()
        payload = bytes.fromhex(digits.decode("ascii"))
        if len(payload) != int(length) or zlib.adler32(payload) != int(checksum):
            continue
        try:
            content: Any = json.loads(payload.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            continue
        if isinstance(content, dict):
            yield Answer(session.decode(), owner.decode(), int(number), cast(Message, content))


class Mailbox:
    """Our side of the mailbox. `preferences` are the files in which answers may turn up."""

    def __init__(
        self,
        folder: Path,
        preferences: Callable[[], Iterable[Path]],
        heartbeat_s: float = _HEARTBEAT_S,
    ) -> None:
        self._heartbeat_s = heartbeat_s
        self._folder = folder
        self._preferences = preferences
        self.session = secrets.token_hex(8)
        self._owner = ""
        self._lock = threading.Lock()
        self._heartbeat_count = 0
        self._ended = threading.Event()
        self._claim = FileLock(folder / "lock", timeout=0)
        self._heartbeat_thread = threading.Thread(
            target=self._live, daemon=True, name="fresco-mailbox"
        )

    def open(self) -> None:
        """Make the folder and begin to show that we are there.

        Raises:
            InstallFailed: another companion runs, or the folder cannot be made or is another's.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if hasattr(os, "getuid"):
                state = self._folder.stat()
                if state.st_uid != os.getuid():
                    raise InstallFailed(
                        f"{self._folder} belongs to another user. What is in it runs in Resolve; "
                        "remove it, or set FRESCO_DATA to a folder of your own."
                    )
                self._folder.chmod(0o700)
            self._claim.acquire()
            self._request.unlink(missing_ok=True)
            self._show()
        except Timeout as error:
            raise InstallFailed(
                "A companion runs already. Use its window, or end it first."
            ) from error
        except (OSError, FileFailed) as error:
            problem = error.strerror if isinstance(error, OSError) else error
            raise InstallFailed(
                f"The mailbox {self._folder} cannot be used ({problem}). Set FRESCO_DATA to a "
                "folder of your own."
            ) from error
        self._heartbeat_thread.start()

    def close(self) -> None:
        """Take everything away, so that the script ends."""
        self._ended.set()
        if self._heartbeat_thread.is_alive():
            self._heartbeat_thread.join(5)
        if self._claim.is_locked:
            self._request.unlink(missing_ok=True)
            self._heartbeat.unlink(missing_ok=True)
            self._claim.release()

    def new_link(self) -> MailboxLink | None:
        """A link to a script that has just started; None if none has since the last call."""
        for word in self.words():
            if word.number == 0 and word.owner != self._owner:
                self._request.unlink(missing_ok=True)
                self._owner = word.owner
                self._show()
                return MailboxLink(self, word.owner)
        return None

    def is_owned_by(self, owner: str) -> bool:
        """Whether no other script has started since."""
        return owner == self._owner and not self._ended.is_set()

    def words(self) -> list[Answer]:
        """Answers of this session."""
        found: list[Answer] = []
        for path in self._preferences():
            try:
                if path.stat().st_size <= _LARGEST:
                    found += [word for word in answers_in(path.read_bytes()) if self._is_ours(word)]
            except OSError:
                continue
        return found

    def post(self, owner: str, number: int, message: Message) -> None:
        """Put a message into the mailbox.

        Raises:
            HostGone: it cannot be written.
        """
        head = {"fresco": VERSION, "session": self.session, "owner": owner, "id": number}
        try:
            write_whole(self._request, lua_chunk({**head, **message}))
        except FileFailed as error:
            raise HostGone(str(error)) from error

    def _is_ours(self, word: Answer) -> bool:
        return secrets.compare_digest(word.session, self.session)

    @property
    def _request(self) -> Path:
        return self._folder / "request.lua"

    @property
    def _heartbeat(self) -> Path:
        return self._folder / "companion.lua"

    def _live(self) -> None:
        while not self._ended.wait(self._heartbeat_s):
            with suppress(FileFailed):
                self._show()

    def _show(self) -> None:
        with self._lock:
            self._heartbeat_count += 1
            state = {
                "fresco": VERSION,
                "session": self.session,
                "owner": self._owner,
                "beat": self._heartbeat_count,
            }
            write_whole(self._heartbeat, lua_chunk(state))


class MailboxLink:
    """A run of the script in Resolve."""

    def __init__(self, mailbox: Mailbox, owner: str, answer_s: float = ANSWER_S) -> None:
        self._mailbox = mailbox
        self._owner = owner
        self._number = 0
        self.answer_s = answer_s

    def send(self, message: Message) -> Message:
        """See `Link.send`."""
        self._number += 1
        self._mailbox.post(self._owner, self._number, message)
        ends = time.monotonic() + self.answer_s
        while time.monotonic() < ends:
            if not self._mailbox.is_owned_by(self._owner):
                raise HostGone("its script was started anew")
            for word in self._mailbox.words():
                if word.owner == self._owner and word.number == self._number:
                    return word.content
            time.sleep(_POLL_S)
        raise HostGone(f"no answer within {self.answer_s:.0f} s")

    def close(self) -> None:
        """See `Link.close`."""
        if self._mailbox.is_owned_by(self._owner):
            self._number += 1
            self._mailbox.post(self._owner, self._number, {"do": "end"})
