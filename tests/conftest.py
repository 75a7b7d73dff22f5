"""What every test runs under."""

import os

# The tests' networks and pictures are tiny: a second thread only waits for the first, and on a
# busy machine it does so by spinning.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")
