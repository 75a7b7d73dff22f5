"""What packets of Dirac and VC-2 hold."""

from __future__ import annotations

_PICTURE = 0x08


def holds_picture(data: bytes) -> bool:
    """Whether a packet of Dirac or VC-2 holds more than headers or the end of the sequence."""
    place = 0
    # Units begin with these letters, a code, and how far away the next one is (SMPTE ST 2042-1).
    while data[place : place + 4] == b"BBCD" and len(data) > place + 8:
        if data[place + 4] & _PICTURE:
            return True
        distance = int.from_bytes(data[place + 5 : place + 9], "big")
        if not distance:
            return False
        place += distance
    # What does not begin so is for the decoder to judge.
    return not place
