"""Keyframes → the frames between them by guided patch synthesis: the standard way."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from fresco_media.types import Image

from fresco_engine.correspondence.flow import Flow, FlowEstimator
from fresco_engine.interpolation.blend import Fuse, View, fuse_gradients
from fresco_engine.interpolation.colour import Lab
from fresco_engine.interpolation.flows import trace_key
from fresco_engine.interpolation.paint import BlendSettings, view_of
from fresco_engine.interpolation.patches import CpuPatches, Patches
from fresco_engine.interpolation.segment import InterpolatedFrame, Segment
from fresco_engine.interpolation.sides import SegmentView, interpolate
from fresco_engine.interpolation.synthesis import Synthesised, Synthesiser, SynthesisSettings

PATCH_BLENDING = BlendSettings(error_scale=0.13, hidden_cost=0.3)
"""Patches that look right are seldom wrong: less is doubted and invented than with flow alone."""


class PatchInterpolator:
    """Interpolation by patches of both keys, searched around where flow leads.

    `steps` finds the motion from one frame to the next, `estimator` unless given; `patches` and
    `fuse` say where patches are searched and gradients fused. `workers` is how many cores to use,
    by default every one.
    """

    def __init__(
        self,
        estimator: FlowEstimator,
        settings: SynthesisSettings | None = None,
        blending: BlendSettings = PATCH_BLENDING,
        *,
        steps: FlowEstimator | None = None,
        patches: Patches | None = None,
        fuse: Fuse = fuse_gradients,
        workers: int | None = None,
    ) -> None:
        self._estimator = estimator
        self._step_estimator = steps or estimator
        self._settings = settings or SynthesisSettings()
        self._blending = blending
        self._patches = patches
        self._fuse = fuse
        self._workers = workers

    def __call__(self, segment: Segment) -> Generator[InterpolatedFrame, None, None]:
        """The frames at `segment.offsets` in order.

        Memory is that of two pictures and a flow per frame and key. Closing the iterator stops
        the work within a fraction of a frame.
        """
        return interpolate(
            segment, self._side, self._blending, fuse=self._fuse, workers=self._workers
        )

    def _side(self, outlook: SegmentView) -> Iterator[tuple[int, _PatchSide]]:
        patches = self._patches or CpuPatches(outlook.threads, max(1, outlook.workers // 2))
        synthesiser = Synthesiser(outlook.sources[0], outlook.key, patches, self._settings)
        steps: list[Flow] = []
        traced = trace_key(
            outlook.sources, outlook.steps(self._step_estimator, steps), self._estimator
        )
        before: Synthesised | None = None
        for offset, source, seen in zip(outlook.offsets, outlook.sources[1:], traced, strict=False):
            back = steps.pop()
            before = synthesiser.paint(source, seen, before, back, outlook.check)
            visible = np.rint(seen.visible * 255).astype(np.uint8)
            yield offset, _PatchSide(before.image, before.source, visible, back)


@dataclass(frozen=True, eq=False)
class _PatchSide:
    """In bytes, since a segment's are all held."""

    image: Image
    source: Image
    visible: Image  # h w, 0-255
    back: Flow

    def view(self, guide: Lab) -> View:
        """The same for blending."""
        visible = self.visible.astype(np.float32) / np.float32(255)
        return view_of(self.image, self.source, visible, guide)
