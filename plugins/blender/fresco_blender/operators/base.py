"""What the buttons have in common."""

# No `from __future__ import annotations`: Blender reads these annotations as values.

from typing import Any

from bpy.props import StringProperty

from .. import selection
from ..core.card import JobCard
from ..state import state


class SequencerOperator:
    """A button that is grey, and says why, while there is an obstacle."""

    poll_message_set: Any  # of bpy.types.Operator
    bl_options = {"REGISTER", "UNDO"}
    obstacle = staticmethod(selection.sequencer_obstacle)

    @classmethod
    def poll(cls, context: Any) -> bool:
        reason = cls.obstacle(context)
        if reason:
            cls.poll_message_set(reason)
        return not reason


class JobOperator:
    """A button beside a job."""

    bl_options = {"REGISTER", "INTERNAL"}
    job_id: StringProperty(options={"HIDDEN", "SKIP_SAVE"})

    @property
    def card(self) -> "JobCard | None":
        """The job that is meant, if it is still there."""
        return state.cards.get(self.job_id)
