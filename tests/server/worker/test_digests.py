"""Digests of large files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from fresco_server.worker.digests import DigestStopped, sha256_of


def test_it_is_that_of_all_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    data = bytes(range(256)) * (3 << 12)
    path.write_bytes(data)

    assert sha256_of(path) == hashlib.sha256(data).hexdigest()


def test_it_stops_between_two_pieces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(5 << 20))
    left = [True, True]

    with pytest.raises(DigestStopped):
        sha256_of(path, lambda: bool(left) and left.pop())
    assert not left
