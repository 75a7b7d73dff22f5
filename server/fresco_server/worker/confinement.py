"""What a worker may read: the folders that its daemon names, and models of this program's own."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from fresco_media.files import opening as files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options by which a daemon says so."""
    parser.add_argument("--confined", action="store_true")
    parser.add_argument("--below", action="append", type=Path, default=[])


def confine(arguments: argparse.Namespace) -> None:
    """From now on files are opened below these folders only, if that is wanted."""
    if arguments.confined:
        files.confine([*arguments.below, *_own_models()])


def _own_models() -> Sequence[Path]:
    from fresco_engine.diffusion.sources import BUNDLED, hub_cache

    return BUNDLED, hub_cache()
