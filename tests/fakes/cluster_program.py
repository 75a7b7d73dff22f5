"""The daemon's end of a cluster whose workers sleep; beside this it is the real one.

    python -m tests.fakes.cluster_program [--plan-frame S] [--step S] [--frame S] --address ...

The seconds are those of `SleepSeconds`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from fresco_server.cluster.program import main as serve

from tests.fakes.sleeping_worker import SleepSeconds, sleeping_worker

ROOT = Path(__file__).parents[2]


def sleeping_command(seconds: SleepSeconds) -> list[str]:
    """What starts it, for `ServerSettings.cluster_worker`."""
    chosen = (f"--{name.replace('_', '-')}={value}" for name, value in asdict(seconds).items())
    return [sys.executable, "-m", "tests.fakes.cluster_program", *chosen]


def with_tests(environment: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Ray's processes find the workers' class."""
    return {**environment, "PYTHONPATH": str(ROOT)}


def main() -> None:
    """Serve the daemon until it is gone."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name, value in asdict(SleepSeconds()).items():
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=value)
    seconds, sys.argv[1:] = parser.parse_known_args()
    os.environ.update(with_tests(os.environ))
    serve(worker=sleeping_worker(SleepSeconds(**vars(seconds))))


if __name__ == "__main__":
    main()
