"""The daemon's values as messages: whatever they hold, the message can be sent."""

from __future__ import annotations

from typing import Any

from fresco_client.mapping import MessageWriter
from google.protobuf.descriptor import FieldDescriptor

_LARGEST = {
    FieldDescriptor.CPPTYPE_INT32: 2**31 - 1,
    FieldDescriptor.CPPTYPE_INT64: 2**63 - 1,
}


class _ServerWriter(MessageWriter):
    """Makes fit what does not: counts from files' names, names with bytes that are no UTF-8."""

    def checked(self, field: FieldDescriptor, content: Any) -> Any:
        """The content of a plain field."""
        if isinstance(content, str):
            return content.encode("utf-8", "replace").decode("utf-8")
        largest = _LARGEST.get(field.cpp_type)
        return content if largest is None else int(max(-largest, min(largest, content)))


message_of = _ServerWriter().message_of
