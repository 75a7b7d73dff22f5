"""Keyframes: what state they are in, and what can be done to them."""

from __future__ import annotations

from enum import Enum


class KeyframeState(Enum):
    """States of a keyframe; values are words a person reads."""

    PLANNED = "planned"
    RENDERING = "rendering"
    DONE = "done"
    LOCKED = "locked"
    FAILED = "failed"


class KeyframeAction(Enum):
    """What can be asked for a keyframe, or for a frame that is to become one."""

    REROLL = "reroll"
    """Make it again with another seed, and only what depends on it."""
    EDIT_PROMPT = "edit prompt"
    REPLACE = "replace"
    """By a painted image."""
    LOCK = "lock"
    """Or unlock."""
    MOVE_HERE = "move here"
    """Move it to the frame that is looked at."""
    ADD = "add"
    REMOVE = "remove"
