"""A cache limited by bytes that forgets what was not used for longest."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class ByteCache(Generic[Key, Value]):
    """Values by key, together at most `limit` bytes; may be used by several threads."""

    def __init__(self, limit: int, size_of: Callable[[Value], int]) -> None:
        self._limit = limit
        self._size_of = size_of
        self._values: OrderedDict[Key, Value] = OrderedDict()
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used_bytes(self) -> int:
        """The bytes of all values held."""
        return self._used

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: Key) -> bool:
        with self._lock:
            return key in self._values

    def get(self, key: Key) -> Value | None:
        """The value, which counts as used now."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def put(self, key: Key, value: Value) -> list[tuple[Key, Value]]:
        """Hold `value`; returns what had to go for it. The newest value always stays."""
        with self._lock:
            self._discard(key)
            self._values[key] = value
            self._used += self._size_of(value)
            evicted: list[tuple[Key, Value]] = []
            while self._used > self._limit and len(self._values) > 1:
                oldest, old = self._values.popitem(last=False)
                self._used -= self._size_of(old)
                evicted.append((oldest, old))
            return evicted

    def discard(self, key: Key) -> None:
        """Forget one value."""
        with self._lock:
            self._discard(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()
            self._used = 0

    def _discard(self, key: Key) -> None:
        old = self._values.pop(key, None)
        if old is not None:
            self._used -= self._size_of(old)
