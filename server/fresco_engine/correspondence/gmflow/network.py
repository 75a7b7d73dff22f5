"""The network of GMFlow with one scale: features, matching, propagation, upsampling."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor, nn

from fresco_engine.correspondence.gmflow.backbone import Backbone
from fresco_engine.correspondence.gmflow.matching import attend, flat, match, unflat
from fresco_engine.correspondence.gmflow.transformer import SPLITS, FeatureTransformer

CHANNELS = 128
REDUCTION = 8
"""How much smaller than pictures features are."""
MULTIPLE = REDUCTION * SPLITS
"""What sides of pictures must be a multiple of."""
_NEIGHBOURS = 9
_INNER = 256
_MEAN = (0.485, 0.456, 0.406)
_DEVIATION = (0.229, 0.224, 0.225)


class FlowPropagation(nn.Module):
    """Flow carried from where it was found to what looks alike in the same picture (Eq. 6)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.q_proj = nn.Linear(channels, channels)
        self.k_proj = nn.Linear(channels, channels)

    def forward(self, features: Tensor, flow: Tensor) -> Tensor:
        """`flow` (b, 2, h, w), propagated by the similarity of `features` (b, c, h, w)."""
        queries = self.q_proj(flat(features))
        # Of the queries, not of the features: so the published weights were trained.
        keys = self.k_proj(queries)
        return unflat(attend(queries, keys, flat(flow)), *flow.shape[-2:])


class GmFlowNetwork(nn.Module):
    """Flow between pairs of pictures, both ways; module names are those of the published weights.

    Source: "GMFlow: Learning Optical Flow via Global Matching" (arXiv:2111.13680), without the
    refinement of section 3.4. Where paper and published weights differ, the weights decide.
    """

    def __init__(self, channels: int = CHANNELS) -> None:
        super().__init__()
        self.backbone = Backbone(channels)
        self.transformer = FeatureTransformer(channels)
        self.feature_flow_attn = FlowPropagation(channels)
        self.upsampler = nn.Sequential(
            nn.Conv2d(2 + channels, _INNER, 3, 1, 1),
            nn.ReLU(),
            nn.Conv2d(_INNER, _NEIGHBOURS * REDUCTION**2, 1),
        )

    def encode(self, pictures: Tensor) -> Tensor:
        """(b, 3, h, w), RGB in 0-255, to features (b, c, h/8, w/8), each picture by itself."""
        mean, deviation = (
            torch.tensor(values, dtype=pictures.dtype, device=pictures.device).view(1, 3, 1, 1)
            for values in (_MEAN, _DEVIATION)
        )
        return self.backbone((pictures / 255 - mean) / deviation)

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Flows (b, 2, h, w) there and back between pictures of the features (b, c, h/8, w/8)."""
        first, second = self.transformer(first, second)
        features = torch.cat([first, second])
        flow = torch.cat([match(first, second), match(second, first)])
        flow = self._upsampled(self.feature_flow_attn(features, flow), features)
        return flow[: len(first)], flow[len(first) :]

    def _upsampled(self, flow: Tensor, features: Tensor) -> Tensor:
        """Eight times larger: each pixel a mixture of the nine around it, as in RAFT."""
        shares = rearrange(
            self.upsampler(torch.cat([flow, features], 1)),
            "b (k v u) h w -> b 1 k v u h w",
            v=REDUCTION,
            u=REDUCTION,
        ).softmax(2)
        height, width = flow.shape[-2:]
        around = F.unfold(REDUCTION * flow, 3, padding=1)
        around = around.view(-1, 2, _NEIGHBOURS, 1, 1, height, width)
        return rearrange((shares * around).sum(2), "b c v u h w -> b c (h v) (w u)")
