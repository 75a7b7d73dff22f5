"""The menu script of the free edition, in a real Lua 5.1 with what the sandbox leaves of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lupa import lua51

from tests.fakes.resolve import Resolve, World
from tests.fakes.resolve.objects import Wrapper

_SANDBOX = """
io, package, require, ffi, debug, bit, jit = nil
os.execute, os.remove, os.rename, os.exit, os.tmpname, os.setlocale = nil
"""


class Closed(Exception):
    """Resolve is being closed while the script waits."""


class LuaObject:
    """An object of the stand-in as Lua sees it: `object:Method(...)`."""

    def __init__(self, lua: LuaSide, wrapper: Wrapper) -> None:
        self._lua = lua
        self._wrapper = wrapper


def new_lua(language: Any = lua51, **options: Any) -> Any:
    """A bare Lua 5.1; the stubs of its library know the oldest arguments only."""
    runtime: Any = language.LuaRuntime
    return runtime(**options)


class LuaSide:
    """Lua with Resolve's globals; `run` runs a script until it ends or Resolve is closed.

    `language` is a module of lupa's: Lua 5.1 itself, or LuaJIT, which Resolve has.
    """

    def __init__(self, world: World, preferences: Path, language: Any = lua51) -> None:
        self._language = language
        self.world = world
        self.preferences = preferences
        self.prefs: dict[str, str] = {}
        self.saves = 0
        self.is_closing = threading.Event()
        self.waited = 0.0
        self.lua = new_lua(
            language,
            unpack_returned_tuples=False,
            register_eval=False,
            register_builtins=False,
            attribute_handlers=(self._attribute, _no_setting),
        )
        self.lua.execute(_SANDBOX)
        names = self.lua.globals()
        names.python = None
        names.resolve = LuaObject(self, Resolve(world))
        names.fusion = Fusion(self)
        names.bmd = Bmd(self)
        names.print = lambda *words: None  # It is mute there.

    def _attribute(self, subject: Any, name: Any) -> Any:
        if isinstance(subject, LuaObject):
            method = getattr(subject._wrapper, name)
            if method is None:
                return None
            return lambda _self, *arguments: self._to_lua(method(*map(self._to_python, arguments)))
        if isinstance(subject, (Fusion, Bmd)) and not name.startswith("_"):
            method = getattr(subject, name)
            return method if isinstance(subject, Bmd) else lambda _self, *given: method(*given)
        raise AttributeError(name)

    def _to_lua(self, value: Any) -> Any:
        if isinstance(value, Wrapper):
            return LuaObject(self, value)
        if isinstance(value, (list, tuple)):
            return self.lua.table_from([self._to_lua(part) for part in value])
        if isinstance(value, dict):
            return self.lua.table_from({key: self._to_lua(part) for key, part in value.items()})
        return value

    def _to_python(self, value: Any) -> Any:
        if isinstance(value, LuaObject):
            return value._wrapper
        if self._language.lua_type(value) == "table":
            content = {key: self._to_python(part) for key, part in value.items()}
            if set(content) == set(range(1, len(content) + 1)):
                return [content[number] for number in range(1, len(content) + 1)]
            return content
        return value

    def run(self, script: str) -> None:
        """Run the script as a click in the menu does."""
        try:
            self.lua.execute(script)
        except (Closed, self._language.LuaError) as error:
            if not self.is_closing.is_set():
                raise AssertionError(f"the script failed: {error}") from error


def _no_setting(subject: Any, name: Any, value: Any) -> None:
    raise AttributeError(name)


class Fusion:
    """Preferences, the only file that the sandbox can have written."""

    def __init__(self, side: LuaSide) -> None:
        self._side = side

    def SetPrefs(self, name: str, value: str) -> bool:
        assert name.startswith("Global."), name
        assert len(value) < 192_000
        self._side.prefs[name] = value
        return True

    def SavePrefs(self) -> None:
        side = self._side
        side.saves += 1
        group, key = "Fresco", "Answer"
        value = side.prefs.get(f"Global.{group}.{key}", "")
        text = f'{{\n\tGlobal = {{\n\t\t{group} = {{ {key} = "{value}", }},\n\t}},\n}}\n'
        fresh = side.preferences.with_suffix(".new")
        fresh.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, "utf-8")
        fresh.replace(side.preferences)


class Bmd:
    """Waiting."""

    def __init__(self, side: LuaSide) -> None:
        self._side = side

    def wait(self, seconds: float) -> None:
        if self._side.is_closing.is_set():
            raise Closed
        self._side.waited += seconds
        # Time passes faster than outside, but not so fast that no heartbeat could come.
        time.sleep(seconds / 4)


def patient(script: str) -> str:
    """The script with more patience: time goes faster here, heartbeats on a busy machine do not.

    Where the companion is gone for good, the script is run as it is.
    """
    usual = "local PATIENCE_S = 12"
    assert usual in script
    return script.replace(usual, "local PATIENCE_S = 1200")


def in_thread(side: LuaSide, script: str) -> Callable[[], None]:
    """Runs a script beside the test; what is returned closes Resolve and waits for its end."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            side.run(script)
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def close() -> None:
        side.is_closing.set()
        thread.join(30)
        assert not thread.is_alive(), "the script does not end"
        assert failures == []

    return close
