"""How sharp FRESCO leaves each look of a model, inside and outside of the subject.

    python bench/sharpness.py CLIP [CLIP ...] --gap 10

Keyframes are made frame by frame and by FRESCO in every style; sharpness is mean gradient energy of
the second as a multiple of the first. The subject is what the engine takes for it.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from baselines.comparison import Shown, make_parser
from baselines.frame_by_frame import frame_by_frame
from baselines.fresco import FRESCO
from baselines.strategy import Strategy
from fresco_engine.correspondence.flow import DisFlow
from fresco_engine.diffusion.model import Model
from fresco_engine.diffusion.models import load_model
from fresco_engine.evaluation.evaluate import Evaluation, Measuring, Moment, evaluate
from fresco_engine.progress_tracker import drained
from fresco_engine.settings import RestyleSettings

_ROWS: dict[str, Strategy] = {"frame by frame": frame_by_frame, "FRESCO": FRESCO}


def measured(shown: Shown, model: Model, style: str, options: argparse.Namespace) -> Evaluation:
    """The figures of FRESCO in one style, held against those made frame by frame."""
    chosen = RestyleSettings(prompt="", style=style, size=options.size, seed=options.seed)
    settings = model.resolved(chosen)
    settings = replace(settings, prompt=settings.style_prompt or "")
    made = {name: row(model, shown.keyframes, settings) for name, row in _ROWS.items()}
    subjects = shown.keyframes.correspondence.foreground.cpu().numpy()
    width, height = shown.size
    moments = [
        Moment(
            place,
            shown.cropped(image),
            {name: shown.cropped(images[place]) for name, images in made.items()},
            subjects[place, :height, :width],
        )
        for place, image in enumerate(shown.keyframes.images)
    ]
    measuring = Measuring(estimator=DisFlow(), reference="frame by frame")
    return drained(evaluate(moments, measuring))[-1]


def main() -> None:
    """Prints a table for each clip."""
    options = make_parser((__doc__ or "").splitlines()[0], "sharpness").parse_args()
    model = load_model(options.model, control=options.control, device=options.device)
    for path in options.clips:
        shown = Shown.read(path, options, model.device)
        print(f"\n{shown.name}\n| style | inside | outside |\n| --- | --- | --- |")
        for style in model.styles:
            if options.only in style.name:
                one = measured(shown, model, style.name, options)
                inside, outside = (
                    one.sharpness_inside_to_reference,
                    one.sharpness_outside_to_reference,
                )
                print(f"| {style.name} | {inside:.2f} | {outside:.2f} |", flush=True)


if __name__ == "__main__":
    main()
