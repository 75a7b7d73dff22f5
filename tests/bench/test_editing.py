"""An edit and a restyle are compared where both are equally near to the look."""

from __future__ import annotations

from bench.editing import Curve, Figures, equally_near


def test_rows_are_compared_as_near_to_the_look_as_both_come() -> None:
    # Beyond its nearest a row goes away again, which tells nothing.
    restyled = Curve.of([Figures(0.9, 0.8, 0.5), Figures(0.2, 0.3, 0.6)])
    edited = Curve.of([Figures(0.8, 0.9, 0.4), Figures(0.6, 0.7, 0.2)])

    lines = equally_near({"restyle": restyled, "edit": edited}).splitlines()

    assert lines[2] == "| restyle | 0.900 | 0.800 | 0.500 |"
    # A sixth of the way from 0.4 back to the clip itself.
    assert lines[3] == "| edit | 0.833 | 0.917 | 0.500 |"


def test_between_two_strengths_figures_are_interpolated() -> None:
    edited = Curve.of([Figures(0.8, 0.9, 0.4), Figures(0.6, 0.7, 0.2)])

    found = edited.at(0.3)

    assert round(found.structure, 6) == 0.7
    assert round(found.edges, 6) == 0.8
