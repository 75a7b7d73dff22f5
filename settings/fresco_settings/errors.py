"""What every error of Fresco's derives from, and the one of a value that cannot be."""

from __future__ import annotations


class FrescoError(Exception):
    """Base of all errors; `str(error)` is a sentence for the user, and always valid UTF-8."""

    def __init__(self, text: str = "") -> None:
        super().__init__(text.encode("utf-8", "backslashreplace").decode())


class InvalidSettings(FrescoError):
    """A setting has a value that cannot be worked with.

    `field` is its declared name, such as "guidance_scale" or "attention.spatial"; front ends say
    what they call it.
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
