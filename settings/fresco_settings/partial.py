"""Settings of which only what was chosen is known: the same fields, each of which may be None."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from fresco_settings.declaration import declared_in, part_of

KindT = TypeVar("KindT", bound="PartialSettings")
_OPEN_KINDS: dict[type, type] = {}


class PartialSettings:
    """Base of such settings; what is None is left to preset, style, model and engine.

    Values by frame and lists are empty where nothing was chosen.
    """

    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

        def __init__(self, **chosen: Any) -> None: ...

        def __getattr__(self, name: str) -> Any: ...


def left_open(
    declared: type, names: Collection[str] | None = None
) -> Callable[[type[KindT]], type[KindT]]:
    """Gives a class the fields that `declared` has, or those of `names`, left open at first.

    The parts of `declared` must have been given their classes before. The class keeps its own.
    """

    def fill(kind: type[KindT]) -> type[KindT]:
        hints = get_type_hints(declared, include_extras=True)
        annotations: dict[str, Any] = {}
        for one in fields(declared):
            if names is not None and one.name not in names:
                continue
            hint = hints[one.name]
            part, setting = part_of(hint), declared_in(hint)
            if part is not None:
                annotations[one.name] = _OPEN_KINDS[part] | None
                setattr(kind, one.name, None)
            elif setting is not None:
                annotations[one.name], default = _open_field(get_args(hint)[0])
                setattr(kind, one.name, default)
        kind.__annotations__ = {**annotations, **vars(kind).get("__annotations__", {})}
        made = dataclass(frozen=True, kw_only=True)(kind)
        if names is None:
            _OPEN_KINDS[declared] = made
        return made

    return fill


def _open_field(hint: Any) -> tuple[Any, Any]:
    """Type and default of a field; those that hold several values are empty, not None."""
    origin = get_origin(hint)
    if origin is tuple:
        return hint, ()
    if origin is Mapping:
        return hint, field(default_factory=dict[Any, Any])
    return hint | None, None
