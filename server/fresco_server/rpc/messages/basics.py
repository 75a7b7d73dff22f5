"""Values that many messages hold: times, fractions, texts, numbers that must fit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from fresco.v1 import media_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_LARGEST_INT32 = 2**31 - 1
_LARGEST_INT64 = 2**63 - 1
_LONGEST_DURATION_S = 315_576_000_000.0  # Ten thousand years, the most that Duration may hold.


def fits_32(value: float) -> int:
    """A count as int32, which a number in a file's name may exceed."""
    return int(max(-_LARGEST_INT32, min(_LARGEST_INT32, value)))


def fits_64(value: float) -> int:
    """A count as int64."""
    return int(max(-_LARGEST_INT64, min(_LARGEST_INT64, value)))


def text(value: object) -> str:
    """A text as UTF-8 can hold it; names of files may have bytes that are none."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def rational(value: str | Fraction) -> media_pb2.Rational:
    """A fraction such as "30000/1001"."""
    exact = Fraction(value)
    if abs(exact.numerator) > _LARGEST_INT64 or exact.denominator > _LARGEST_INT64:
        exact = exact.limit_denominator(_LARGEST_INT32)
    return media_pb2.Rational(
        numerator=fits_64(exact.numerator), denominator=fits_64(exact.denominator)
    )


def timestamp(seconds: float) -> Timestamp:
    """Seconds since the epoch."""
    stamp = Timestamp()
    stamp.FromNanoseconds(round(seconds * 1e6) * 1000)
    return stamp


def duration(seconds: float | None) -> Duration | None:
    """A length of time; `None` for one that is not known."""
    if seconds is None or not math.isfinite(seconds):
        return None
    whole = Duration()
    within = max(0.0, min(_LONGEST_DURATION_S, seconds))
    whole.FromNanoseconds(round(within * 1e6) * 1000)
    return whole


def json_text(values: Mapping[str, Any]) -> str:
    """`values` as strict JSON: what is no number becomes null."""
    try:
        return json.dumps(values, ensure_ascii=False, allow_nan=False)
    except ValueError:
        plain = json.loads(json.dumps(values), parse_constant=lambda _: None)
        return json.dumps(plain, ensure_ascii=False)
