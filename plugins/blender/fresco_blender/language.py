"""Words in Blender's window: all of ours are English, in whatever language Blender's own are.

Blender looks every word of an add-on up in its own catalogue. Those that it happens to know would
be translated and stand among others that are not; in a context of ours it knows none.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

CONTEXT = "Fresco"
_IS_FOR_PROPERTIES = "translation_context" in (bpy.props.StringProperty.__doc__ or "")
"""Whether properties can have one, too; not before 3.6, where panels give their titles."""


def plain(kinds: Iterable[Any]) -> None:
    """Leave titles of classes, and of the properties they declare, as they are."""
    for kind in kinds:
        kind.bl_translation_context = CONTEXT
        for owner in reversed(kind.__mro__):
            for prop in vars(owner).get("__annotations__", {}).values():
                if _IS_FOR_PROPERTIES and hasattr(
                    prop, "keywords"
                ):  # of bpy.props, until the class is registered
                    prop.keywords["translation_context"] = CONTEXT
