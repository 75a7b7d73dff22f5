"""What all objects of the interface have in common: strictness."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from tests.fakes.resolve.documents import DOCUMENTED, Failure, Version
from tests.fakes.resolve.state import Project, plain

if TYPE_CHECKING:
    from tests.fakes.resolve.state import Timeline


class Misuse(AssertionError):
    """The interface was used as it is not documented."""


def do_nothing(call: str, number: int) -> None:
    """No failure is played."""


@dataclass
class World:
    """What stands behind all objects."""

    version: Version = (20, 3, 1)
    is_studio: bool = True
    language: str = "en"
    platform: str = "linux"
    page: str | None = "edit"
    project: Project | None = None
    has_dialog: bool = False
    is_import_by_dict_broken: bool = False
    does_append_selected_only: bool = False
    """As before 20.3.2: nothing is appended while nothing is selected in the media pool."""
    selected_clip: str = ""
    source_frame_error: int = 0
    """What GetSourceStartFrame is off by."""
    render_polls: int = 2
    """How often a render says that it goes on before it is done."""
    does_render_fail: bool = False
    missing_codecs: set[str] = field(default_factory=set[str])
    calls: list[str] = field(default_factory=list[str])
    misuses: list[str] = field(default_factory=list[str])
    fails: Callable[[str, int], bool | None] = do_nothing
    """Told every call and its number from 1; True makes it fail as the real one does."""
    failure: Failure = "none"
    """What a call gives that fails, or that is made behind a dialog."""
    prefs: dict[str, Any] = field(default_factory=dict[str, Any])

    def blame(self, text: str) -> Misuse:
        """Remember a misuse, so that the test fails even if the error is swallowed."""
        self.misuses.append(text)
        return Misuse(text)

    def snapshot(self) -> Any:
        """All that a user would see, as plain values."""
        return {"page": self.page, "project": plain(self.project)}

    @property
    def timeline(self) -> Timeline:
        """The current one."""
        assert self.project is not None
        timeline = self.project.timeline()
        assert timeline is not None
        return timeline


class Wrapper:
    """An object as scripts get it: a new one for every answer, equal to no other."""

    _kind = ""

    def __init__(self, world: World, subject: Any = None) -> None:
        self._world = world
        self._subject = subject

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        return self._method(name)

    def __dir__(self) -> list[str]:
        known = DOCUMENTED[self._kind]
        return [name for name, method in known.items() if method.since <= self._world.version]

    def _method(self, name: str) -> Any:
        world = self._world
        documented = DOCUMENTED[self._kind].get(name)
        if documented is None:
            raise world.blame(f"{self._kind}.{name} is not documented")
        if documented.since > world.version:
            return None
        try:
            perform = object.__getattribute__(self, name)
        except AttributeError:
            raise world.blame(f"the stand-in has no {self._kind}.{name} yet") from None
        return partial(self._call, name, perform)

    def _call(self, name: str, perform: Callable[..., Any], *arguments: Any) -> Any:
        world, method = self._world, DOCUMENTED[self._kind][name]
        call = f"{self._kind}.{name}"
        if not method.accepts(arguments):
            raise world.blame(f"{call} does not take {arguments!r}")
        if method.deprecated is not None and method.deprecated <= world.version:
            raise world.blame(f"{call} is deprecated since {method.deprecated}")
        world.calls.append(call)
        if world.has_dialog or world.fails(call, len(world.calls)):
            return method.failed(world.failure)
        try:
            return perform(*arguments)
        except Misuse:
            raise
        except Exception as error:  # Where a script in Resolve runs, it would be swallowed.
            raise world.blame(f"{call}{arguments!r} broke the stand-in: {error!r}") from error


def is_whole(*values: Any) -> bool:
    """Whether all are whole numbers."""
    return all(isinstance(value, int) and not isinstance(value, bool) for value in values)
