"""How near a patch is to two places, along paths of one colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

FAR = 1e3
"""A distance that counts as no way at all."""


def geodesic_odds(links: Integers, steps: Floats, subject: Floats, surroundings: Floats) -> Floats:
    """(n,), -1 to 1: whether patches are nearer to the subject (Bai and Sapiro 2009).

    Each of `links` (m, 2) is as long as its `steps` (m,). `subject` and `surroundings` (n,) are
    what it costs to begin at a patch, `FAR` where one cannot. A patch from which no way leads to a
    subject, as in a frame that is compared with no other, is left undecided.
    """
    to_subject = _distance(links, steps, subject)
    to_surroundings = _distance(links, steps, surroundings)
    # Where both are next to nothing away, neither is nearer.
    odds = (to_surroundings - to_subject) / (to_surroundings + to_subject + 0.5)
    return np.where(to_subject < FAR, odds, 0.0)


def _distance(links: Integers, steps: Floats, entry: Floats) -> Floats:
    """(n,): the shortest way to each patch from outside, where every patch has its `entry`."""
    count = len(entry)
    doors = np.flatnonzero(entry < FAR)
    begins = np.concatenate([links[:, 0], links[:, 1], np.full(len(doors), count)])
    ends = np.concatenate([links[:, 1], links[:, 0], doors])
    # Sparse graphs take a length of 0 for no link.
    lengths = np.concatenate([steps, steps, entry[doors]]) + 1e-6
    graph = csr_array(coo_array((lengths, (begins, ends)), shape=(count + 1, count + 1)))
    return np.minimum(np.asarray(dijkstra(graph, indices=count))[:count], FAR)
