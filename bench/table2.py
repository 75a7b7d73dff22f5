"""What each adaptation of FRESCO contributes, as Table 2 of the paper.

    python bench/table2.py CLIP [CLIP ...] --prompt "a watercolour painting"

Keyframes are translated with one set of adaptations after another, everything else alike.
Results are kept in a folder; run again, only what is missing is made.
"""

from __future__ import annotations

from baselines.comparison import make_parser, run
from baselines.frame_by_frame import frame_by_frame
from baselines.fresco import FRESCO, Adaptations
from baselines.strategy import Strategy
from fresco_engine.settings import AttentionSettings, OptimisationSettings, SmoothingSettings

_CROSS_FRAME = AttentionSettings(spatial=False, temporal=False)

ROWS: dict[str, Strategy] = {
    "frame by frame": frame_by_frame,
    "shared noise": Adaptations(noise="shared"),
    "noise along the flow": Adaptations(noise="flow"),
    "cross-frame attention": Adaptations(attention=_CROSS_FRAME),
    "temporal": Adaptations(
        attention=AttentionSettings(spatial=False),
        optimisation=OptimisationSettings(spatial=False),
    ),
    "spatial": Adaptations(
        attention=AttentionSettings(temporal=False),
        optimisation=OptimisationSettings(temporal=False),
    ),
    "attention": Adaptations(attention=AttentionSettings()),
    "optimisation": Adaptations(attention=_CROSS_FRAME, optimisation=OptimisationSettings()),
    "attention and optimisation": Adaptations(
        attention=AttentionSettings(), optimisation=OptimisationSettings()
    ),
    "smoothing": Adaptations(smoothing=SmoothingSettings()),
    "FRESCO": FRESCO,
}
"""Cross-frame attention is the paper's baseline; the four rows after it are those of its table."""


if __name__ == "__main__":
    parser = make_parser((__doc__ or "").splitlines()[0], "table2")
    run(parser.parse_args(), ROWS, reference="frame by frame")
