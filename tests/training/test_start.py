import torch
from fresco_training.start import widened
from torch import nn


def test_a_widened_network_answers_as_before_whatever_the_new_channels_hold() -> None:
    torch.manual_seed(0)
    narrow = nn.Sequential(nn.Conv2d(16, 8, 3), nn.GroupNorm(2, 8), nn.Conv2d(8, 16, 3))
    wide = nn.Sequential(nn.Conv2d(32, 8, 3), nn.GroupNorm(2, 8), nn.Conv2d(8, 32, 3))
    latents = torch.randn(1, 32, 9, 9)

    wide.load_state_dict(widened(narrow.state_dict(), wide.state_dict()))

    answer = wide(latents)
    torch.testing.assert_close(answer[:, :16], narrow(latents[:, :16]))
    assert not answer[:, 16:].any()
