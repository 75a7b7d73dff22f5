"""How near a patch is to the border and to what moves, along paths of one colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import dijkstra

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_FAR = 1e3


def geodesic_odds(links, steps, to_subject, to_border) -> Floats:
    subject = _distance(links, steps, to_subject)
    border = _distance(links, steps, to_border)
    return (border - subject) / (border + subject + 0.5)


def _distance(links, steps, entry) -> Floats:
    count = len(entry)
    doors = np.flatnonzero(entry < _FAR)
    begins = np.concatenate([links[:, 0], links[:, 1], np.full(len(doors), count)])
    ends = np.concatenate([links[:, 1], links[:, 0], doors])
    costs = np.concatenate([steps, steps, entry[doors]])
    graph = csr_array(coo_array((costs + 1e-6, (begins, ends)), shape=(count + 1, count + 1)))
    return np.minimum(dijkstra(graph, indices=count)[:count], _FAR)
