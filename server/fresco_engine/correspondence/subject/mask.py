"""Foreground without a network: what moves on its own, and what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from fresco_media.types import Image
from numpy.typing import NDArray

from fresco_engine.correspondence.flow import Flow, pixel_grid
from fresco_engine.correspondence.subject.colours import colour_odds
from fresco_engine.correspondence.subject.cut import cut
from fresco_engine.correspondence.subject.geodesic import geodesic_odds
from fresco_engine.correspondence.subject.own_motion import agreement, own_motion, slopes_of
from fresco_engine.correspondence.subject.superpixels import superpixels
from fresco_engine.correspondence.warp import warp_image

FloatMap = NDArray[np.float32]
BoolMap = NDArray[np.bool_]

_SHORT_SIDE = 224
_SPACING = 7
_KEPT = 0.85
"""Share of a sign that reaches the next frame."""
_ROUNDS = 3

DEBUG = {}


def foreground_mask(
    frames: Sequence[Image],
    forward: Sequence[Flow],
    backward: Sequence[Flow],
    *,
    linked: Sequence[bool] | None = None,
) -> BoolMap:
    height, width = frames[0].shape[:2]
    if len(frames) == 1:
        return np.zeros((1, height, width), np.bool_)
    scale = min(1.0, _SHORT_SIDE / min(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    pictures = [np.asarray(cv2.resize(f, size, interpolation=cv2.INTER_AREA), np.uint8) for f in frames]
    ahead = [_shrink(flow, size, scale) for flow in forward]
    behind = [_shrink(flow, size, scale) for flow in backward]
    linked = [True] * len(ahead) if linked is None else linked
    labs = [cv2.cvtColor(p, cv2.COLOR_RGB2LAB).astype(np.float32) for p in pictures]
    moves, rests, agree = _motion(pictures, labs, ahead, behind, linked)
    labels = []
    total = 0
    for lab in labs:
        l = superpixels(lab, _SPACING) + total
        labels.append(l); total = int(l.max()) + 1
    labels = np.stack(labels)
    flat = labels.ravel()
    sizes = np.bincount(flat, minlength=total).astype(np.float64)
    mean = lambda v: np.bincount(flat, v.ravel(), minlength=total) / sizes
    grid = pixel_grid(*labels.shape[1:])
    lab = np.stack(labs)
    gx = np.broadcast_to(grid[..., 0], labels.shape); gy = np.broadcast_to(grid[..., 1], labels.shape)
    feats = np.stack([mean(lab[..., c]) for c in range(3)] + [mean(gx), mean(gy)], 1)
    span = np.array([256, 256, 256, size[0], size[1]], np.float64)
    scaled = (feats + [0, 0, 0, 0.5, 0.5]) / span
    scaled[:, 1:3] = np.clip((scaled[:, 1:3] - 0.5) * 2 + 0.5, 0, 1)
    when = np.repeat(np.arange(len(labels)), [len(np.unique(l)) for l in labels]); scaled = np.hstack([scaled, (when[:, None] + 0.5) / len(labels)])
    m = mean(moves); odds = 1.5 * np.maximum(0, m - 0.4) + mean(rests) * np.maximum(0, 1 - m)
    (near, near_costs, diff), (over, over_costs) = _links(labels, feats, lab, ahead, agree, linked)
    moving = np.clip(odds, -2, 2.5)
    edge = np.zeros(labels.shape, bool)
    edge[:, 0] = True; edge[:, :, 0] = edge[:, :, -1] = True
    at_edge = np.bincount(flat, edge.ravel(), minlength=total) > 0
    step = diff / 150 + 0.005
    strong = np.quantile(m[m > 0.4], PR['source']) if (m > 0.4).any() else 2.0
    DEBUG['strong'] = [round(float(np.quantile(m[m > 0.4], q)), 2) for q in (.5, .8, .9, .95, .98)]
    to_s = np.where(m > 0.3, PR['alpha'] * np.maximum(0, strong - m), 1e3)
    to_b = np.where((at_edge & (m < 0.5)) | (moving < -1), 0, 1e3)
    geo = geodesic_odds(near, step, to_s, to_b)
    return solve(dict(moving=moving, m=m, geo=geo, scaled=scaled, sizes=sizes, near=near, near_costs=near_costs, over=over, over_costs=over_costs, labels=labels, moves=moves, rests=rests, out=(width, height), near_diff=diff, at_edge=at_edge))


PR = dict(alpha=2.0, source=1.2, smooth=1.0, over=1.0, geo=0.7, colour=1.0, soft=0.0, bias=0.0, rounds=3)


def solve(b):
    moving, geo, scaled, sizes, labels = b['moving'], b['geo'], b['scaled'], b['sizes'], b['labels']
    links = np.concatenate([b['near'], b['over']]); costs = np.concatenate([PR['smooth'] * b['near_costs'], PR['over'] * b['over_costs']])
    DEBUG['b'] = b
    start = moving + 2 * geo
    chance = 1 / (1 + np.exp(-2 * start))
    history = [1 / (1 + np.exp(-2 * moving)), (geo + 1) / 2, chance]
    for r in range(PR['rounds']):
        c = colour_odds(scaled, sizes, chance)
        unary = moving + PR['colour'] * c + PR['geo'] * geo * np.maximum(0, 1 - np.abs(moving) / 2) + PR['bias']
        is_subject = cut(unary, links, costs)
        chance = PR['soft'] * history[2] + (1 - PR['soft']) * np.where(is_subject, 0.9, 0.1)
        history += [1 / (1 + np.exp(-c)), is_subject.astype(float)]
    DEBUG['history'] = [h[labels] for h in history]
    DEBUG['motion'] = 2 * b['moves'] + b['rests']; DEBUG['labels'] = labels
    mask = is_subject[labels]
    return np.stack([_enlarge(m, b['out']) for m in mask])


def _links(labels, feats, lab, ahead, agree, linked):
    pairs, strength = [], []
    def spatial(a, b, la, lb):
        d = ((la - lb) ** 2).sum(-1)
        differ = a != b
        return a[differ], b[differ], d[differ]
    A, B, D = [], [], []
    for sl_a, sl_b in ((np.s_[:, :, :-1], np.s_[:, :, 1:]), (np.s_[:, :-1], np.s_[:, 1:])):
        a, b, d = spatial(labels[sl_a], labels[sl_b], lab[sl_a], lab[sl_b])
        A.append(a); B.append(b); D.append(d)
    a = np.concatenate(A).astype(np.int64); b = np.concatenate(B).astype(np.int64); d = np.concatenate(D)
    lo, hi = np.minimum(a, b), np.maximum(a, b)
    n = int(labels.max()) + 1
    key, inverse = np.unique(lo * n + hi, return_inverse=True)
    length = np.bincount(inverse)
    lo, hi = key // n, key % n
    diff = ((feats[lo, :3] - feats[hi, :3]) ** 2).sum(1)
    beta = 1 / (2 * diff.mean() + 1e-9)
    near = np.stack([lo, hi], 1); dd = diff
    links, costs = [], []
    near_costs = (1.2 * length / _SPACING * (0.05 + np.exp(-beta * diff)))
    grid = pixel_grid(*labels.shape[1:])
    h, w = labels.shape[1:]
    for i, f in enumerate(ahead):
        if not linked[i]: continue
        ok = agree[i][0] > 0.3
        t = np.rint(grid + f).astype(int)
        ok &= (t[..., 0] >= 0) & (t[..., 0] < w) & (t[..., 1] >= 0) & (t[..., 1] < h)
        a = labels[i][ok].astype(np.int64); b = labels[i + 1][t[..., 1][ok], t[..., 0][ok]].astype(np.int64)
        key, count = np.unique(a * n + b, return_counts=True)
        p, q = key // n, key % n
        diff = ((feats[p, :3] - feats[q, :3]) ** 2).sum(1)
        links.append(np.stack([p, q], 1))
        costs.append(0.8 * count / _SPACING**2 * np.exp(-beta * diff))
    return (near, near_costs, dd), (np.concatenate(links), np.concatenate(costs))


def _motion(pictures, labs, ahead, behind, linked):
    slopes = [slopes_of(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32)) for p in pictures]
    n = len(pictures)
    moves = [np.zeros(pictures[0].shape[:2], np.float32) for _ in pictures]
    rests = [np.zeros(pictures[0].shape[:2], np.float32) for _ in pictures]
    agree = []
    for i in range(n - 1):
        if linked[i]:
            there = agreement(ahead[i], behind[i], labs[i], labs[i + 1]); back = agreement(behind[i], ahead[i], labs[i + 1], labs[i])
            for k, l, f, tr in ((i, i + 1, ahead[i], there), (i + 1, i, behind[i], back)):
                o = own_motion(f, slopes[k], tr)
                moves[k] = np.maximum(moves[k], o); rests[k] += np.minimum(o, 0)
            agree.append((there, back))
        else: agree.append(None)
    before, after = list(rests), list(rests)
    for i in range(1, n):
        if linked[i - 1]:
            carry = lambda v: _KEPT * warp_image(v, behind[i - 1]) * agree[i - 1][1]
            moves[i] = np.maximum(moves[i], carry(moves[i - 1]))
            before[i] = before[i] + carry(before[i - 1])
    for i in reversed(range(n - 1)):
        if linked[i]:
            carry = lambda v: _KEPT * warp_image(v, ahead[i]) * agree[i][0]
            moves[i] = np.maximum(moves[i], carry(moves[i + 1]))
            after[i] = after[i] + carry(after[i + 1])
    rests = [x + y - z for x, y, z in zip(before, after, rests)]
    return np.stack(moves), np.stack(rests), agree


def _shrink(flow: Flow, size: tuple[int, int], scale: float) -> Flow:
    small = cv2.resize(flow, size, interpolation=cv2.INTER_AREA) * np.float32(scale)
    return np.asarray(small, np.float32)


def _enlarge(mask: BoolMap, size: tuple[int, int]) -> BoolMap:
    smooth = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    return smooth > 0.5
