"""Messages as lines of JSON over a pipe: the way of the menu scripts in Python."""

from __future__ import annotations

import json
from typing import IO, Any, cast

from fresco_davinci.bridge.remote import Message
from fresco_davinci.errors import HostGone


class PipeLink:
    """The script that started this process is at the other end of its standard streams."""

    def __init__(self, answers: IO[str], messages: IO[str]) -> None:
        self._answers = answers
        self._messages = messages

    def send(self, message: Message) -> Message:
        """See `Link.send`."""
        try:
            self._messages.write(json.dumps(message) + "\n")
            self._messages.flush()
            line = self._answers.readline()
            answer: Any = json.loads(line) if line else None
        except (OSError, ValueError) as error:
            raise HostGone(f"the bridge is broken: {error}") from error
        if not isinstance(answer, dict):
            raise HostGone("the script in Resolve has ended")
        return cast(Message, answer)

    def close(self) -> None:
        """See `Link.close`."""
        try:
            self._messages.write('{"do": "end"}\n')
            self._messages.flush()
        except (OSError, ValueError):
            pass
