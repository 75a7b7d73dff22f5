"""Where each pixel of a batch was first seen: composed, stored exactly, broken where hidden."""

import pytest
import torch
from fresco_engine.correspondence.origins import Origins, trace_origins
from torch import Tensor

HEIGHT, WIDTH = 16, 24


def flow_of(x: float, y: float = 0.0) -> Tensor:
    flow = torch.zeros(2, HEIGHT, WIDTH)
    flow[0], flow[1] = x, y
    return flow


def trace(*flows: Tensor, known: Tensor | None = None) -> list[Origins]:
    backward = torch.stack(flows)
    shown = torch.ones(len(flows), HEIGHT, WIDTH, dtype=torch.bool) if known is None else known
    return trace_origins(backward, shown, range(len(flows) + 1))


def test_the_first_frame_is_all_new() -> None:
    first, _ = trace(flow_of(1))

    assert (first.frame == 0).all()
    assert first.place[:, 3, 5].tolist() == [5, 3]


def test_motions_add_up_over_frames() -> None:
    last = trace(flow_of(-1.5), flow_of(-2.25, 1), flow_of(-3))[-1]

    assert (last.frame == 0).all()
    assert last.place[:, 3, 12].tolist() == [12 - 6.75, 4]


def test_a_hidden_pixel_is_new_and_goes_on_from_there() -> None:
    known = torch.ones(2, HEIGHT, WIDTH, dtype=torch.bool)
    known[0, :, 10:14] = False

    _, middle, last = trace(flow_of(0), flow_of(-2), known=known)

    assert (middle.frame[:, 10:14] == 1).all()
    assert middle.place[:, 7, 11].tolist() == [11, 7]
    assert (last.frame[:, 12:16] == 1).all()
    assert last.place[:, 7, 13].tolist() == [11, 7]
    assert (last.frame[:, 17:] == 0).all()


def test_places_on_either_side_of_an_edge_are_not_mixed() -> None:
    # The right half went far, the left half stood still: between them lies nothing.
    torn = flow_of(0)
    torn[0, :, 12:] = 9

    last = trace(torn, flow_of(0.4))[-1]

    between = last.place[0, 5, 11].item()
    assert abs(between - 11.4) < 0.1 or abs(between - 21.4) < 1.1


def test_a_batch_goes_on_from_the_one_before() -> None:
    whole = trace(flow_of(-1.3), flow_of(0.7, 0.2), flow_of(-2.1, -1))

    begun = trace(flow_of(-1.3), flow_of(0.7, 0.2))[-1]
    known = torch.ones(1, HEIGHT, WIDTH, dtype=torch.bool)
    stored = Origins(begun.frame.clone(), begun.place.half().float())
    last = trace_origins(flow_of(-2.1, -1)[None], known, [2, 3], stored)[-1]

    assert torch.equal(last.frame, whole[-1].frame)
    assert torch.equal(last.place, whole[-1].place)


def test_only_the_commonest_frames_are_kept() -> None:
    known = torch.ones(23, HEIGHT, WIDTH, dtype=torch.bool)
    for i in range(22):
        known[i, :, i] = False

    last = trace(*[flow_of(0)] * 23, known=known)[-1]

    numbers = set(last.frame.unique().tolist())
    assert len(numbers) <= 17
    assert 0 in numbers


@pytest.mark.parametrize(("height", "width"), [(1, 9), (9, 1), (1, 1)])
def test_lines_and_single_pixels_are_pictures_too(height: int, width: int) -> None:
    known = torch.ones(1, height, width, dtype=torch.bool)

    last = trace_origins(torch.full((1, 2, height, width), 5.0), known, [0, 1])[-1]

    assert last.frame.shape == (height, width)
    assert last.place[0].max() <= width - 1
