"""What every error of Fresco's derives from, and the one of a value that cannot be."""

from __future__ import annotations

from enum import Enum


class Remedy(str, Enum):
    """What may put an error right, as a code that front ends have words, buttons or fields for.

    `fresco_settings.remedies` has the neutral words of each.
    """

    LESS_MEMORY = "LESS_MEMORY"
    LESS_GUIDANCE = "LESS_GUIDANCE"
    NO_CONTROL = "NO_CONTROL"
    ADD_LORA = "ADD_LORA"
    ADD_NAMED_LORA = "ADD_NAMED_LORA"
    USE_PROCESSOR = "USE_PROCESSOR"
    REPLACE_OUTPUT = "REPLACE_OUTPUT"
    FIRST_NUMBER = "FIRST_NUMBER"
    TELL_FIRST_NUMBER = "TELL_FIRST_NUMBER"
    ALLOW_FOLDER = "ALLOW_FOLDER"
    ALLOW_LINKED_FOLDER = "ALLOW_LINKED_FOLDER"
    MORE_ROOM = "MORE_ROOM"
    LIST_JOBS = "LIST_JOBS"
    START_DAEMON = "START_DAEMON"
    START_DAEMON_ONCE = "START_DAEMON_ONCE"
    USE_PRINTED_TOKEN = "USE_PRINTED_TOKEN"
    DIAGNOSE = "DIAGNOSE"
    REPORT_FAULT = "REPORT_FAULT"


class FrescoError(Exception):
    """Base of all errors; `str(error)` is a sentence for the user, and always valid UTF-8.

    `field` is the declared name of the setting to look at, `remedy` what may put it right.
    """

    field: str = ""
    remedy: Remedy | None = None

    def __init__(self, text: str = "") -> None:
        super().__init__(text.encode("utf-8", "backslashreplace").decode())

    @property
    def remedy_code(self) -> str:
        """The remedy as it is sent and stored; empty if there is only the sentence."""
        return self.remedy.value if self.remedy else ""


class InvalidSettings(FrescoError):
    """A setting has a value that cannot be worked with.

    `field` is its declared name, such as "guidance_scale" or "attention.spatial"; front ends say
    what they call it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
