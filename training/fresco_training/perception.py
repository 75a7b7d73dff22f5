"""How different two pictures look: by the layers of a network that is trained here.

The distance is that of LPIPS (Zhang et al., CVPR 2018, equation 1) without weights for channels,
as nobody was asked what looks alike. The network learns from the training set which look a crop
is in, and which photograph it was painted over, so that its layers see both; it never sees what
the model makes.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from fresco_training.data import Batch, Dataset
from fresco_training.pace import Pace, training_device
from fresco_training.styles import STYLES, Image
from fresco_training.train import style_chances

_WIDTHS = (32, 64, 96, 128)
_EMBEDDING = 64
_TEMPERATURE = 0.1


@dataclass(frozen=True, kw_only=True)
class PerceptionSettings:
    """How long and on what the network is trained."""

    steps: int = 2000
    minutes: float | None = None  # The length of the training instead of `steps`.
    batch: int = 48
    side: int = 64
    rate: float = 2e-3
    seed: int = 0


class Perception(nn.Module):
    """Convolutions, each level half as large as the one before, and two heads to learn by."""

    def __init__(self, styles: int) -> None:
        super().__init__()
        sizes = zip((3, *_WIDTHS), _WIDTHS, strict=False)
        self.levels = nn.ModuleList(_level(before, after) for before, after in sizes)
        self.style = nn.Linear(_WIDTHS[-1], styles)
        self.content = nn.Linear(_WIDTHS[-1], _EMBEDDING)

    def layers(self, pictures: Tensor) -> list[Tensor]:
        """What each level sees of `pictures`, (b, 3, h, w) in [0, 1]; (b, c, h / 2^n, w / 2^n)."""
        seen: list[Tensor] = []
        pictures = pictures * 2 - 1
        for level in self.levels:
            pictures = level(pictures)
            seen.append(pictures)
        return seen

    @torch.no_grad()
    def distance(self, first: Image, second: Image) -> float:
        """How different two pictures of one size look; 0 where they are the same."""
        pictures = torch.stack([torch.from_numpy(one).permute(2, 0, 1) for one in (first, second)])
        total = 0.0
        for layer in self.layers(pictures.float()):
            one, other = functional.normalize(layer, dim=1)
            total += (one - other).square().sum(dim=0).mean().item()
        return total

    @staticmethod
    def load(path: Path) -> "Perception":
        """The network of a file that `train` wrote."""
        state = torch.load(path, weights_only=True, map_location="cpu")
        network = Perception(len(state["style.bias"]))
        network.load_state_dict(state)
        return network.eval()


def _level(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(before, after, 3, stride=2, padding=1),
        nn.GroupNorm(8, after),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1),
        nn.ReLU(),
    )


def train(dataset: Dataset, path: Path, settings: PerceptionSettings) -> dict[str, float]:
    """Trains a network and writes it to `path`; how often it was right in the last steps."""
    torch.manual_seed(settings.seed)
    device = training_device()
    network = Perception(len(STYLES)).to(device)
    optimiser = torch.optim.AdamW(network.parameters(), lr=settings.rate)
    chances = style_chances()
    pace = Pace(settings.steps, settings.minutes)
    right = {"style": 0.0, "content": 0.0}
    pace.begin()
    while pace.goes_on:
        for group in optimiser.param_groups:
            group["lr"] = settings.rate * pace.rate(warm_up=50, least=0.02)
        batch = dataset.batch(settings.batch, settings.side, chances)
        loss, hits = _loss(network, batch, device)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        right = {head: 0.98 * right[head] + 0.02 * hits[head] for head in right}
        pace.count(loss.item())
    torch.save(network.cpu().state_dict(), path)
    return right


def _loss(
    network: Perception, batch: Batch, device: torch.device
) -> tuple[Tensor, dict[str, float]]:
    photo, styled = (_pooled(network, pixels, device) for pixels in (batch.photo, batch.styled))
    styles = torch.from_numpy(batch.styles).to(device)
    named = network.style(styled)
    views = (functional.normalize(network.content(one), dim=1) for one in (photo, styled))
    before, after = views
    alike = after @ before.T / _TEMPERATURE
    same = torch.arange(len(alike), device=device)
    loss = functional.cross_entropy(named, styles) + functional.cross_entropy(alike, same)
    hits = {
        "style": (named.argmax(1) == styles).float().mean().item(),
        "content": (alike.argmax(1) == same).float().mean().item(),
    }
    return loss, hits


def _pooled(network: Perception, pixels: object, device: torch.device) -> Tensor:
    pictures = torch.as_tensor(pixels, device=device).permute(0, 3, 1, 2).float() / 255
    return network.layers(pictures)[-1].mean(dim=(2, 3))
