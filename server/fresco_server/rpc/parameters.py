"""The settings as clients build controls from them: what there is, and what it may be."""

from __future__ import annotations

from functools import cache

from fresco.v1 import server_pb2
from fresco_settings import Declared, RestyleSettings, parameters_of

from fresco_server.rpc.messages.jobs import CODECS


@cache
def capabilities(declared: type = RestyleSettings) -> tuple[server_pb2.Parameter, ...]:
    """All settings that one control is enough for, in the order a form shows them."""
    return tuple(_message(one) for one in parameters_of(declared) if one.shape == "single")


def outputs() -> tuple[str, ...]:
    """Kinds of output, the usual one first."""
    return tuple(dict.fromkeys(CODECS.values()))


def _message(parameter: Declared) -> server_pb2.Parameter:
    """Fields are called the same in the contract."""
    message = server_pb2.Parameter(
        kind=server_pb2.ParameterKind.Value(f"PARAMETER_KIND_{parameter.kind.upper()}"),
        choices=parameter.choices,
    )
    for field in server_pb2.Parameter.DESCRIPTOR.fields:
        value = getattr(parameter, field.name)
        if field.name not in ("kind", "choices") and value is not None:
            setattr(message, field.name, value)
    return message
