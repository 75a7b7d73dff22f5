"""Objects of Resolve's on the other side of a bridge, used like Resolve's own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, cast

from fresco_davinci.errors import HostGone, HostRefused

Message = dict[str, Any]


class Link(Protocol):
    """One way to carry messages."""

    def send(self, message: Message) -> Message:
        """The answer to a message.

        Raises:
            HostGone: there is none, or it is none of ours.
        """
        ...

    def close(self) -> None:
        """Tell the other side that there is nothing more to do."""
        ...


class Bridge:
    """Resolve, over a link. Several threads may use it: one message is on its way at a time."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._lock = threading.RLock()

    @property
    def resolve(self) -> RemoteObject:
        """What scripts find as `resolve`."""
        return RemoteObject(self, 0)

    def ask(self, message: Message) -> Any:
        """The value of the answer.

        Raises:
            HostRefused: the call raised over there.
            HostGone: there is no answer.
        """
        with self._lock:
            answer = self._link.send(message)
        if "error" in answer:
            raise HostRefused(f"{message.get('method', message['do'])}: {answer['error']}")
        try:
            return self._decoded(answer.get("value"))
        except (TypeError, ValueError, KeyError, IndexError, RecursionError):
            raise HostGone("its answer makes no sense") from None

    def call(self, handle: int, method: str, *arguments: Any) -> Any:
        """What a method gives."""
        encoded = [_encoded(argument) for argument in arguments]
        return self.ask({"do": "call", "on": handle, "method": method, "args": encoded})

    def has(self, handle: int, method: str) -> bool:
        """Whether there is such a method."""
        return bool(self.ask({"do": "has", "on": handle, "method": method}))

    def say(self, text: str) -> None:
        """Show a sentence where the script can."""
        self.ask({"do": "say", "text": text})

    def form(self, fields: list[Message]) -> dict[str, Any] | None:
        """What was filled into a form of Fusion's; None if it was cancelled.

        Raises:
            HostRefused: this Resolve shows no forms.
        """
        filled = self.ask({"do": "form", "fields": _encoded(fields)})
        return cast("dict[str, Any]", filled) if isinstance(filled, dict) else None

    def close(self) -> None:
        """Tell the other side that there is nothing more to do."""
        self._link.close()

    def _decoded(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._decoded(part) for part in cast("list[Any]", value)]
        if not isinstance(value, dict):
            return value
        if "o" in value:
            return RemoteObject(self, int(cast("Message", value)["o"]))
        pairs = cast("Message", value)["d"]
        return {_key(key): self._decoded(part) for key, part in pairs}


class RemoteObject:
    """An object of Resolve's: every name is a method."""

    def __init__(self, bridge: Bridge, handle: int) -> None:
        self._bridge = bridge
        self._handle = handle

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        return partial(self._bridge.call, self._handle, name)

    def _fresco_has(self, method: str) -> bool:
        return self._bridge.has(self._handle, method)


def _key(key: Any) -> Any:
    if not isinstance(key, (str, int, float)):
        raise TypeError(key)
    return key


def _encoded(value: Any) -> Any:
    if isinstance(value, RemoteObject):
        return {"o": value._handle}  # pyright: ignore[reportPrivateUsage]
    if isinstance(value, dict):
        pairs = cast("dict[Any, Any]", value).items()
        return {"d": [[key, _encoded(part)] for key, part in pairs]}
    if isinstance(value, (list, tuple)):
        return [_encoded(part) for part in cast("list[Any]", value)]
    return value
