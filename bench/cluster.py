"""What a clip takes on 1 to 256 devices, and what that costs, by a model of the cluster.

    python -m bench.cluster [--figures bundled|assumed-gpu] [--set NAME=VALUE ...]
    python -m bench.cluster --measure CLIP [--stop N] [--size N]
    python -m bench.cluster --check

Without more it prints tables for clips of one minute to ten hours. `--set` gives figures that were
measured, by the names of `ClusterFigures`; `--measure` measures them here, in a run with the
bundled model, and prints the tables for them. `--check` has real jobs done on clusters of two, four
and eight workers that sleep as long as an engine would, and says how wrong the model was.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

from fresco_engine.settings import RestyleSettings
from fresco_media.clip import Clip

from bench.cluster_check import CheckedRun, checked_runs
from bench.cluster_model import (
    ClusterFigures,
    Forecast,
    ModelledClip,
    film,
    floor_s,
    simulate,
)

DEVICES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
CLIPS = {"1 min": 60, "10 min": 600, "1 h": 3600, "2 h": 7200, "10 h": 36000}
MOST_ERROR = 0.1
SHOT_KEYFRAMES = 64
MOST_FOR_A_SHOT = 64
"""Devices beyond which a single shot has no use for more."""
_PAYS = 0.5
"""Share of its devices' time that a job has to use."""


@dataclass(frozen=True, kw_only=True)
class KnownFigures:
    """Figures to begin with, the denoising steps they go with, and where they are from."""

    figures: ClusterFigures
    steps: int
    source: str


FIGURES: Mapping[str, KnownFigures] = {
    "bundled": KnownFigures(
        figures=ClusterFigures(
            analysis_s=0.003,
            step_s=1.33,
            frame_s=0.55,
            encode_s=0.028,
            metrics_s=0.014,
            record_bytes=7.3e6,
            keyframe_bytes=405e3,
            frame_bytes=406e3,
            machine_devices=1,
            price=0.10,
        ),
        steps=3,
        source="measured: the bundled model at 512 x 512, standard preset, machines of two cores",
    ),
    "assumed-gpu": KnownFigures(
        figures=ClusterFigures(
            analysis_s=0.003, step_s=0.06, frame_s=0.15, encode_s=0.028, metrics_s=0.014, price=2.0
        ),
        steps=15,
        source="assumed, never measured: Stable Diffusion 1.5 at 512 x 512 on a large GPU",
    ),
}


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").splitlines()[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--figures", choices=sorted(FIGURES), default="bundled")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--devices", nargs="*", type=int, default=list(DEVICES))
    parser.add_argument("--measure", type=Path, metavar="CLIP")
    parser.add_argument("--stop", type=int, help="measure the first frames only")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.check:
        check()
        return
    known = FIGURES[options.figures]
    if options.measure is not None:
        known = _measured(options.measure, options.size, options.stop, known)
    known = replace(known, figures=with_values(known.figures, options.set))
    print(f"{known.source}\n")
    print(figures_table(known.figures), end="\n\n")
    print(tables(known, CLIPS, options.devices), end="\n\n")
    print(shot_table(known, [number for number in options.devices if number <= MOST_FOR_A_SHOT]))


def with_values(figures: ClusterFigures, texts: Sequence[str]) -> ClusterFigures:
    """Figures with some given as `NAME=VALUE`.

    Raises:
        SystemExit: one has no such name, or is no number.
    """
    names = {one.name for one in fields(figures)}
    values: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            values[name] = float(value)
        except ValueError:
            raise SystemExit(f"--set: {text!r} is not of the form NAME=VALUE") from None
        if name not in names:
            raise SystemExit(f"--set: there is no {name!r}; there is {', '.join(sorted(names))}")
    return replace(figures, **values)


def _measured(path: Path, size: int, stop: int | None, known: KnownFigures) -> KnownFigures:
    # Only here, as it loads the engine.
    from bench.cluster_measure import measure

    settings = RestyleSettings(prompt="a watercolour painting", size=size, stop=stop)
    figures, steps = measure(Clip.open(path), settings, known.figures)
    return KnownFigures(figures=figures, steps=steps, source=f"measured here: {path} at {size}")


def figures_table(figures: ClusterFigures) -> str:
    """All figures, as Markdown."""
    rows = (f"| `{one.name}` | {getattr(figures, one.name):g} |" for one in fields(figures))
    return "\n".join(["| figure | |", "| --- | --- |", *rows])


def tables(known: KnownFigures, clips: Mapping[str, float], devices: Sequence[int]) -> str:
    """Hours, efficiency and cost of clips, so many seconds long, as Markdown."""
    films = {name: film(length) for name, length in clips.items()}
    found = {name: _forecasts(clip, devices, known) for name, clip in films.items()}
    cost = f"Cost, at {known.figures.price:g} for a device and hour"
    shown: Mapping[str, Callable[[Forecast, Forecast], str]] = {
        "Hours": lambda _, one: f"{one.total_s / 3600:.3g}",
        "Efficiency: share of the devices' time that is used": lambda first, one: (
            f"{efficiency(first, one):.0%}"
        ),
        cost: lambda _, one: f"{one.cost(known.figures):.3g}",
    }
    lines: list[str] = []
    for title, cell in shown.items():
        lines += [f"{title}:", "", f"| clip | {' | '.join(map(str, devices))} |"]
        lines += ["| --- |" + " --- |" * len(devices)]
        for name, forecasts in found.items():
            cells = (cell(forecasts[0], one) for one in forecasts)
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append("")
    lines += ["Where it stops paying:", ""]
    lines += [_limit(name, films[name], found[name], known.figures) for name in clips]
    return "\n".join(lines)


def shot_table(known: KnownFigures, devices: Sequence[int]) -> str:
    """How much faster a single long shot gets with `anchors_first`, as Markdown."""
    keyframes = range(0, 12 * SHOT_KEYFRAMES, 12)
    stop = keyframes[-1] + 1
    shot = ModelledClip(shots=((0, stop),), keyframes=(tuple(keyframes),), steps=known.steps)

    def seconds(every: int, number: int) -> float:
        forecast = simulate(replace(shot, anchors_first=every), number, known.figures)
        return forecast.made_s - forecast.planned_s

    alone = seconds(0, 1)
    lines = [
        f"One shot of {SHOT_KEYFRAMES} keyframes, {stop} frames: times as fast as one device, from "
        "the plan to the last frame:",
        "",
        f"| anchors first | {' | '.join(map(str, devices))} |",
        "| --- |" + " --- |" * len(devices),
    ]
    for every in (0, 1, 2, 4):
        cells = (f"{alone / seconds(every, number):.2f}" for number in devices)
        lines.append(f"| {every or 'off'} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _forecasts(clip: ModelledClip, devices: Sequence[int], known: KnownFigures) -> list[Forecast]:
    clip = replace(clip, steps=known.steps)
    return [simulate(clip, number, known.figures) for number in devices]


def efficiency(first: Forecast, other: Forecast) -> float:
    """How much of its devices' time a job uses, if it uses all of the time of `first`."""
    return first.total_s * first.devices / (other.total_s * other.devices)


def pays_up_to(forecasts: Sequence[Forecast]) -> int:
    """The most devices that are used for half of the time or more."""
    first = forecasts[0]
    return max(one.devices for one in forecasts if efficiency(first, one) >= _PAYS)


def _limit(
    name: str, clip: ModelledClip, forecasts: Sequence[Forecast], figures: ClusterFigures
) -> str:
    plan, encoding, look = (
        f"{clip.frames * seconds / 3600:.2g} h"
        for seconds in (figures.analysis_s, figures.encode_s, figures.metrics_s)
    )
    return (
        f"- {name}: pays up to {pays_up_to(forecasts)} devices; never under "
        f"{floor_s(clip, figures) / 3600:.2g} h (plan {plan}, on one device; encoding {encoding} "
        f"and metrics {look}, at the daemon)"
    )


def check() -> None:
    """Compare the model with real clusters, and fail where it is wrong."""
    runs: list[CheckedRun] = []
    for run in checked_runs():
        if not runs:
            print("\n| workers | predicted | measured | error |\n| --- | --- | --- | --- |")
        runs.append(run)
        print(
            f"| {run.devices} | {run.predicted_s:.2f} s | {run.measured_s:.2f} s "
            f"| {run.error:.1%} |",
            flush=True,
        )
    worst = max(run.error for run in runs)
    if worst > MOST_ERROR:
        raise SystemExit(f"the model is wrong by {worst:.0%}, more than {MOST_ERROR:.0%}")


if __name__ == "__main__":
    main()
