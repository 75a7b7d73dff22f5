"""Training of U-Net, ControlNet and text encoder together, resumable at any time."""

import copy
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import ControlNetModel, UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor2_0
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from fresco_training import noising, prompts, text
from fresco_training.conditions import ConditionShares, random_conditions
from fresco_training.data import STYLE_NAMES, Batch, Dataset
from fresco_training.latents import PatchBasis
from fresco_training.networks import PlainAttention, build_controlnet, build_scheduler, build_unet
from fresco_training.pace import Pace, save, training_device

_log = logging.getLogger(__name__)

PHOTO_SHARE = 0.11
FAVOURED_FACTOR = 5.0  # How much more often a style is drawn that lags behind.
LINE_STYLES = {"pencil", "comic", "cartoon", "neon", "pop art", "blueprint", "ukiyo-e"}
LINE_FACTOR = 1.4  # Thin lines take longer to learn than tones.
EMA_EVERY = 4
DETAIL_EXPONENT = 1.3


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """The length of a training and its make-up; steps may be raised when it is resumed."""

    steps: int = 10500
    large_from: float = 0.876
    small: tuple[int, int] = (12, 128)  # Batch and side until `large_from` of the steps,
    large: tuple[int, int] = (6, 256)  # and after it.
    rate: float = 1e-3
    weight_decay: float = 1e-3
    warm_up: int = 150
    ema: float = 0.9985
    save_every_s: float = 120.0
    seed: int = 0
    compile: bool = False
    minutes: float | None = None  # The length of the training instead of `steps`.
    favour: tuple[str, ...] = ()  # Styles that lag behind and are drawn more often.


class Networks(nn.Module):
    """What is trained together."""

    def __init__(self, encoder: CLIPTextModel) -> None:
        super().__init__()
        self.text_encoder = encoder
        self.unet: UNet2DConditionModel = build_unet()
        self.controlnet: ControlNetModel = build_controlnet(self.unet)
        self.use(PlainAttention())

    def use(self, attention: PlainAttention | AttnProcessor2_0) -> None:
        """Lets both networks attend by `attention`."""
        self.unet.set_attn_processor(attention)
        self.controlnet.set_attn_processor(attention)

    def forward(
        self, noisy: Tensor, times: Tensor, tokens: Tensor, images: Tensor, heard: Tensor
    ) -> Tensor:
        """Velocities (b, c, h, w); `heard` (b) says where the ControlNet takes part."""
        states = self.text_encoder(tokens).last_hidden_state
        down, middle = self.controlnet(noisy, times, states, images, return_dict=False)
        mask = heard[:, None, None, None]
        return self.unet(
            noisy,
            times,
            states,
            down_block_additional_residuals=tuple(residual * mask for residual in down),
            mid_block_additional_residual=middle * mask,
            return_dict=False,
        )[0]


def style_chances(favour: Sequence[str] = ()) -> np.ndarray:
    """How often each style is drawn: photographs have a fixed share, favoured styles the most.

    Raises:
        ValueError: a favoured one that there is not.
    """
    if unknown := sorted(set(favour) - set(STYLE_NAMES)):
        raise ValueError(f"there is no style {unknown[0]!r}; there are {', '.join(STYLE_NAMES)}")
    chances = np.full(len(STYLE_NAMES), (1 - PHOTO_SHARE) / (len(STYLE_NAMES) - 1))
    for index, name in enumerate(STYLE_NAMES):
        chances[index] *= LINE_FACTOR if name in LINE_STYLES else 1.0
        chances[index] *= FAVOURED_FACTOR if name in favour else 1.0
    photo = STYLE_NAMES.index("photo")
    chances[photo] = 0.0
    chances *= (1 - PHOTO_SHARE) / chances.sum()
    chances[photo] = PHOTO_SHARE
    return chances


class Trainer:
    """Holds everything that a checkpoint holds; CPU and GPU differ in nothing but speed."""

    def __init__(self, work: Path, settings: TrainSettings) -> None:
        self.settings = settings
        self.device = training_device()
        self.checkpoint = work / "unet.pt"
        self.pace = Pace(settings.steps, settings.minutes, settings.save_every_s)
        self.basis = PatchBasis.load(work / "basis.npz")
        self.tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
        self.schedule = noising.Schedule.of(build_scheduler()).to(self.device)
        # Between errors of whitened latents (0) and of pixels (2): brightness counts, detail too.
        sizes = torch.from_numpy(self.basis.deviation).to(self.device) ** DETAIL_EXPONENT
        self.channels = sizes / sizes.mean()
        torch.manual_seed(settings.seed)
        self.networks = Networks(CLIPTextModel.from_pretrained(work / "text_encoder"))
        self.networks.to(self.device, memory_format=torch.channels_last)
        if self.device.type == "cuda":
            self.networks.use(AttnProcessor2_0())
        self.average = copy.deepcopy(self.networks)
        self.optimiser = torch.optim.AdamW(
            self.networks.parameters(),
            lr=settings.rate,
            betas=(0.9, 0.99),
            weight_decay=settings.weight_decay,
            fused=True,
        )
        if self.checkpoint.exists():
            self._restore()
        self.forward = torch.compile(self.networks) if settings.compile else self.networks
        # What a run draws depends on where it begins, so that one that goes on sees new samples.
        self.dataset = Dataset(work / "pictures.npy", seed=settings.seed + self.pace.step)
        self.rng = np.random.default_rng((settings.seed, self.pace.step))
        torch.manual_seed(settings.seed + self.pace.step)

    def run(self) -> None:
        """Trains to the end or a polite kill, logging and saving as it goes."""
        self.pace.begin()
        while self.pace.goes_on:
            self.pace.count(self._train_step())
            if self.pace.step % EMA_EVERY == 0:
                self._follow()
            if self.pace.is_due:
                self.save()
        self.save()

    def _train_step(self) -> float:
        late = self.pace.progress >= self.settings.large_from
        size, side = self.settings.large if late else self.settings.small
        batch = self.dataset.batch(size, side, style_chances(self.settings.favour))
        loss = self._loss(batch)
        for group in self.optimiser.param_groups:
            group["lr"] = self.settings.rate * self.pace.rate(self.settings.warm_up, least=0.01)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.networks.parameters(), 1.0)
        self.optimiser.step()
        return loss.item()

    def _loss(self, batch: Batch) -> Tensor:
        target, photo = (self._latents(pixels) for pixels in (batch.styled, batch.photo))
        times = noising.random_times(len(target)).to(self.device)
        share = noising.remaining_photo(self.schedule, times)
        mixture = torch.lerp(target, photo, share)
        noisy = noising.noisy_latents(self.schedule, mixture, torch.randn_like(target), times)
        wanted = noising.velocity(self.schedule, noisy, target, times)
        images, heard = random_conditions(batch.photo, ConditionShares(), self.rng)
        with torch.autocast(self.device.type, dtype=torch.bfloat16):
            predicted = self.forward(
                noisy.contiguous(memory_format=torch.channels_last),
                times,
                text.tokenize(self.tokenizer, self._prompts(batch)).to(self.device),
                images.to(self.device).contiguous(memory_format=torch.channels_last),
                heard.to(self.device),
            ).float()
        weights = noising.loss_weights(self.schedule, times) * self.channels[:, None, None]
        return (weights * (predicted - wanted) ** 2).mean()

    def _latents(self, pixels: np.ndarray) -> Tensor:
        images = torch.from_numpy(pixels).to(self.device).permute(0, 3, 1, 2).float() / 255.0
        return self.basis.encode(images)

    def _prompts(self, batch: Batch) -> list[str]:
        return list(map(self._prompt, batch.styles))

    def _prompt(self, style: int) -> str:
        """Sometimes an empty one, and more so for photographs: nothing asked, little changed."""
        silent = 0.35 if STYLE_NAMES[style] == "photo" else 0.09
        if self.rng.random() < silent:
            return prompts.negative(self.rng)
        return prompts.prompt(STYLE_NAMES[style], self.rng)

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(self.settings.ema**EMA_EVERY, (self.pace.step + 1) / (self.pace.step + 40))
        slow, fast = (list(n.parameters()) for n in (self.average, self.networks))
        torch._foreach_lerp_(slow, fast, 1.0 - decay)

    def save(self) -> None:
        """Writes the checkpoint."""
        state = {
            **self.pace.state(),
            "networks": self.networks.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        save(state, self.checkpoint)

    def _restore(self) -> None:
        state = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        self.pace.restore(state)
        self.networks.load_state_dict(state["networks"])
        self.average.load_state_dict(state["average"])
        if "optimiser" in state:  # An exported model has none.
            self.optimiser.load_state_dict(state["optimiser"])


def averaged(work: Path) -> tuple[Networks, int]:
    """The averaged networks of the newest checkpoint and its step."""
    encoder = CLIPTextModel.from_pretrained(work / "text_encoder")
    networks = Networks(encoder)
    state = torch.load(work / "unet.pt", weights_only=True, map_location="cpu")
    networks.load_state_dict(state["average"])
    return networks, state["step"]
