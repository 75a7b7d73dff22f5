"""`python -m tests.corpus`: make and check the whole corpus, or the items named."""

from __future__ import annotations

import sys

from tests.corpus import working

if __name__ == "__main__":
    if sys.argv[1:] == ["--worker"]:
        working.work()
