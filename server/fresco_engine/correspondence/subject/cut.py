"""The cheapest border between subject and surroundings, over all frames at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import breadth_first_order, maximum_flow

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_UNIT = 1000
"""What a cost of 1 is for the solver, which counts in whole numbers."""


def cut(odds: Floats, links: Integers, costs: Floats) -> NDArray[np.bool_]:
    """(n,), True for subject: the labels of least cost (Boykov and Jolly 2001).

    A patch against its `odds` (n,) costs their size; the two ends of a link (m, 2) with different
    labels cost its `costs` (m,), which are 0 or more.
    """
    count = len(odds)
    if count == 0 or not (odds > 0).any():
        return np.zeros(count, np.bool_)
    source, sink = count, count + 1
    nodes = np.arange(count)
    begins = np.concatenate([links[:, 0], links[:, 1], np.where(odds > 0, source, nodes)])
    ends = np.concatenate([links[:, 1], links[:, 0], np.where(odds > 0, nodes, sink)])
    weights = np.concatenate([costs, costs, np.abs(odds)])
    capacity = np.rint(weights * _UNIT).astype(np.int32)
    graph = csr_array(coo_array((capacity, (begins, ends)), shape=(count + 2, count + 2)))
    flow = maximum_flow(graph, source, sink).flow
    left = csr_array(graph - flow)
    left.eliminate_zeros()
    reached = breadth_first_order(left, source, return_predecessors=False)
    labels = np.zeros(count + 2, np.bool_)
    labels[reached] = True
    return labels[:count]
