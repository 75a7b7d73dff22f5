"""How sharp FRESCO leaves each look of a model, and how far its texture sticks to the screen.

    python bench/looks.py CLIP [CLIP ...] --gap 10

Keyframes are made frame by frame and by FRESCO in every style. Sharpness is mean gradient energy of
the second as a multiple of the first, inside and outside of what the engine takes for the subject;
sticking is a multiple of the source's own.
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


def measured(
    shown: Shown, model: Model, style: str, options: argparse.Namespace
) -> tuple[Evaluation, Evaluation]:
    """The source's figures and those of FRESCO in one style."""
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
    source, *_, full = drained(evaluate(moments, measuring))
    return source, full


def main() -> None:
    """Prints a table for each clip."""
    options = make_parser((__doc__ or "").splitlines()[0], "looks").parse_args()
    model = load_model(options.model, control=options.control, device=options.device)
    for path in options.clips:
        shown = Shown.read(path, options, model.device)
        print(f"\n{shown.name}\n| style | inside | outside | sticking |\n|{' --- |' * 4}")
        for style in model.styles:
            if options.only in style.name:
                source, full = measured(shown, model, style.name, options)
                figures = (
                    full.sharpness_inside_to_reference,
                    full.sharpness_outside_to_reference,
                    full.sticking / source.sticking,
                )
                told = " | ".join(f"{figure:.2f}" for figure in figures)
                print(f"| {style.name} | {told} |", flush=True)


if __name__ == "__main__":
    main()
