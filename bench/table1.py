"""FRESCO beside the methods that the paper compares it with, as its Table 1.

    python bench/table1.py CLIP [CLIP ...] --prompt "a watercolour painting"

Keyframes are translated by one method after another, everything else alike: model, ControlNet,
seed, schedule, noise. Results are kept in a folder; run again, only what is missing is made.
"""

from __future__ import annotations

from baselines.comparison import make_parser, run
from baselines.control_video import control_video
from baselines.fate_zero import fate_zero
from baselines.frame_by_frame import frame_by_frame
from baselines.fresco import FRESCO, Adaptations
from baselines.rerender import rerender
from baselines.strategy import Strategy
from baselines.text2video_zero import text2video_zero

METHODS: dict[str, Strategy] = {
    "frame by frame": frame_by_frame,
    "shared noise": Adaptations(noise="shared"),
    "Text2Video-Zero": text2video_zero,
    "ControlVideo": control_video,
    "FateZero": fate_zero,
    "Rerender-A-Video": rerender,
    "FRESCO": FRESCO,
}
"""All but the first have the noise of the settings; the second has nothing else."""


if __name__ == "__main__":
    parser = make_parser((__doc__ or "").splitlines()[0], "table1")
    run(parser.parse_args(), METHODS, reference="frame by frame")
