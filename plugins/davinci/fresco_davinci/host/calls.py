"""Calls as the rest of the host makes them: answers are of a known kind, or it is an error."""

from __future__ import annotations

from typing import Any, cast

from fresco_davinci.errors import HostRefused


class ResolveCalls:
    """Calls methods of Resolve's objects by name."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], bool] = {}

    def ask(self, subject: Any, method: str, *arguments: Any) -> Any:
        """Whatever it gives, also nothing.

        Raises:
            HostRefused: this version of Resolve has no such method.
        """
        call = getattr(subject, method, None)
        if not callable(call):
            raise HostRefused(f"{method}, which this version of Resolve does not have")
        return call(*arguments)

    def get(self, subject: Any, method: str, *arguments: Any) -> Any:
        """What it gives, which is to be something.

        Raises:
            HostRefused: it gave None or False, as it does where it fails.
        """
        value = self.ask(subject, method, *arguments)
        if value is None or value is False:
            raise HostRefused(method)
        return value

    def do(self, subject: Any, method: str, *arguments: Any) -> Any:
        """What it gives, which is to be true.

        Raises:
            HostRefused: it gave None, False, or nothing of what it is to make.
        """
        value = self.ask(subject, method, *arguments)
        if not value:
            raise HostRefused(method)
        return value

    def number(self, subject: Any, method: str, *arguments: Any) -> int:
        """A whole number.

        Raises:
            HostRefused: it gave something else.
        """
        value = self.ask(subject, method, *arguments)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != int(value):
            raise HostRefused(method)
        return int(value)

    def text(self, subject: Any, method: str, *arguments: Any) -> str:
        """A text, perhaps an empty one.

        Raises:
            HostRefused: it gave none.
        """
        value = self.ask(subject, method, *arguments)
        if not isinstance(value, str):
            raise HostRefused(method)
        return value

    def many(self, subject: Any, method: str, *arguments: Any) -> list[Any]:
        """A list, perhaps an empty one.

        Raises:
            HostRefused: it gave none.
        """
        value = self.ask(subject, method, *arguments)
        if isinstance(value, dict):
            return list(cast("dict[Any, Any]", value).values())
        if not isinstance(value, (list, tuple)):
            raise HostRefused(method)
        return list(cast("list[Any]", value))

    def table(self, subject: Any, method: str, *arguments: Any) -> dict[Any, Any]:
        """A table, perhaps an empty one.

        Raises:
            HostRefused: it gave none.
        """
        value = self.ask(subject, method, *arguments)
        # An empty table of Lua's is a list as well.
        if not isinstance(value, dict) and value != []:
            raise HostRefused(method)
        return cast("dict[Any, Any]", value or {})

    def switch(self, subject: Any, method: str, *arguments: Any) -> bool:
        """Yes or no.

        Raises:
            HostRefused: it gave neither.
        """
        value = self.ask(subject, method, *arguments)
        if value is None:
            raise HostRefused(method)
        return bool(value)

    def id_of(self, subject: Any) -> str:
        """What stays the same of an object of Resolve's.

        Raises:
            HostRefused: it gave none.
        """
        return str(self.do(subject, "GetUniqueId"))

    def find(self, subject: Any, method: str, *arguments: Any) -> Any | None:
        """One of Resolve's objects; None if there is none."""
        return self.ask(subject, method, *arguments) or None

    def can(self, kind: str, subject: Any, method: str) -> bool:
        """Whether objects of this kind have a method in this version.

        `hasattr` would not do: Resolve's objects say yes to everything.
        """
        key = (kind, method)
        if key not in self._known:
            has = getattr(subject, "_fresco_has", None) if _is_ours(subject) else None
            self._known[key] = bool(has(method)) if has else method in dir(subject)
        return self._known[key]


def _is_ours(subject: Any) -> bool:
    return type(subject).__module__.startswith("fresco_davinci.")
