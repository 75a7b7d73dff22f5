"""Buttons and menu entries."""

from __future__ import annotations

import bpy

from .. import language
from . import jobs, results, start

CLASSES = tuple(
    kind
    for module in (start, jobs, results)
    for kind in vars(module).values()
    if isinstance(kind, type) and issubclass(kind, bpy.types.Operator)
)
language.plain(CLASSES)
register, unregister = bpy.utils.register_classes_factory(CLASSES)
