"""Messages as Lua that does nothing but give a table: the only thing the free edition can read."""

from __future__ import annotations

import math
from typing import Any, cast


def lua_text(text: str) -> str:
    """A text as a literal of plain ASCII."""
    escaped = "".join(
        chr(byte) if 32 <= byte < 127 and byte not in b'"\\' else f"\\{byte:03}"
        for byte in text.encode("utf-8")
    )
    return f'"{escaped}"'


def lua_value(value: Any) -> str:
    """A plain value as an expression; lists are {l={...}}, as Lua's tables do not tell.

    Raises:
        TypeError: it is no plain value.
    """
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        return repr(value)
    if isinstance(value, str):
        return lua_text(value)
    if isinstance(value, list):
        parts = cast("list[Any]", value)
        return f"{{n={len(parts)},l={{{','.join(map(lua_value, parts))}}}}}"
    if isinstance(value, dict):
        return lua_table(cast("dict[str, Any]", value))
    raise TypeError(value)


def lua_table(content: dict[str, Any]) -> str:
    """A table with names for keys."""
    parts = [f"[{lua_text(str(key))}]={lua_value(value)}" for key, value in content.items()]
    return f"{{{','.join(parts)}}}"


def lua_chunk(content: dict[str, Any]) -> str:
    """A file that gives a table."""
    return f"return {lua_table(content)}\n"
