"""The standing corpus: a small clip of every kind that FFmpeg can write, and what is asked of each.

`python -m tests.corpus` makes and checks all of them, or those named.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from pathlib import Path
from queue import SimpleQueue

from tests.corpus import report, working
from tests.corpus.items import all_items
from tests.corpus.outcome import Outcome


def main() -> int:
    """0 if all is well, 1 if an item fails, 2 if there is no such item."""
    wanted = _arguments()
    if wanted.worker:
        working.work()
        return 0
    names = [item.name for item in all_items() if _is_wanted(item.name, wanted.names)]
    if not names or (wanted.write and wanted.names):
        print("name clips of the corpus, or parts of names; --write is for all of them")
        return 2
    began = time.monotonic()
    outcomes: list[Outcome] = []
    for outcome in _checked(names, wanted.jobs):
        outcomes.append(outcome)
        _tell(outcome, len(outcomes), len(names))
    order = {name: place for place, name in enumerate(names)}
    outcomes.sort(key=lambda outcome: order[outcome.name])
    print(report.failures(outcomes), report.table(outcomes), sep="\n\n")
    counts = Counter(outcome.status for outcome in outcomes)
    print(f"\n{dict(counts)} in {time.monotonic() - began:.0f} s")
    if wanted.json:
        wanted.json.write_text(report.as_json(outcomes), encoding="utf-8")
    if wanted.write:
        report.PAGE.write_text(report.page(outcomes), encoding="utf-8")
    return int(counts["fails"] + counts["unwritable"] > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    parser.add_argument("names", nargs="*", help="names of clips, or parts of them; else all")
    parser.add_argument("--jobs", type=int, default=cpu_count() or 1, help="clips at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="save what was found")
    parser.add_argument("--write", action="store_true", help="write docs/formats.md anew")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _is_wanted(name: str, parts: Sequence[str]) -> bool:
    return not parts or any(part in name for part in parts)


def _checked(names: Sequence[str], jobs: int) -> Iterator[Outcome]:
    """Outcomes as they come, several processes at a time."""
    done: SimpleQueue[Outcome] = SimpleQueue()
    workers: SimpleQueue[working.Worker] = SimpleQueue()
    for _ in range(jobs):
        workers.put(working.Worker())

    def check(name: str) -> None:
        worker = workers.get()
        try:
            done.put(worker.check(name))
        finally:
            workers.put(worker)

    with ThreadPoolExecutor(jobs) as pool:
        for name in names:
            pool.submit(check, name)
        for _ in names:
            yield done.get()
    while not workers.empty():
        workers.get().close()


def _tell(outcome: Outcome, done: int, count: int) -> None:
    if outcome.status != "passes":
        print(f"{done}/{count} {outcome.name} {outcome.status} {outcome.sentence}".rstrip())
        for text in outcome.failures:
            print(f"    {text}")
    elif done % 50 == 0:
        print(f"{done}/{count}")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
