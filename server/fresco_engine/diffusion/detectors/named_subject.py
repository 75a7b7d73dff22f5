"""What words name in one picture: CLIPSeg (arXiv:2112.10003)."""

from __future__ import annotations

from pathlib import Path

import torch
from fresco_media.types import Image
from torch.nn import functional
from transformers import CLIPSegForImageSegmentation

from fresco_engine.diffusion.detectors.detector import Found, normalised, picture_tensor
from fresco_engine.diffusion.folders import load_part, load_tokenizer
from fresco_engine.diffusion.tokenizers import CLIPS, CLIPS_WORDS
from fresco_engine.errors import InvalidSettings, WrongModelKind

_SQUARE = (352, 352)
"""Of the pictures that it is trained on, whatever their shape was."""


class NamedSubjectDetector:
    """How likely each pixel shows what was named, in [0, 1]."""

    is_relative = False

    def __init__(
        self, network: CLIPSegForImageSegmentation, words: str, device: torch.device
    ) -> None:
        """Raises `InvalidSettings` where there are more words than the network reads."""
        self._network = network.to(device, torch.float32).eval().requires_grad_(False)  # pyright: ignore[reportArgumentType, reportCallIssue]
        self._device = device
        tokens: list[int] = load_tokenizer(CLIPS)(words).input_ids
        room = network.config.text_config.max_position_embeddings  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]
        if len(tokens) > room:
            raise InvalidSettings(
                "subject", f"it is {len(tokens)} tokens long and may have {room}; use fewer words"
            )
        self._meaning = network.get_conditional_embeddings(
            batch_size=1, input_ids=torch.tensor([tokens], device=device)
        )

    @classmethod
    def load(cls, folder: Path, words: str, device: torch.device) -> NamedSubjectDetector:
        """The network in a folder with its config.json and weights; raises as `load_part`."""
        network = load_part(CLIPSegForImageSegmentation, folder)
        known = network.config.text_config.vocab_size
        if known != CLIPS_WORDS:
            raise WrongModelKind(
                folder, f"it knows {known} words and not CLIP's {CLIPS_WORDS}; get the usual one"
            )
        return cls(network, words, device)

    def detect(self, image: Image) -> Found:
        """As the protocol says."""
        squares = functional.interpolate(
            normalised(picture_tensor(image, self._device)),
            _SQUARE,
            mode="bilinear",
            antialias=True,
        )
        odds = self._network(pixel_values=squares, conditional_embeddings=self._meaning).logits
        size = image.shape[:2]
        whole = functional.interpolate(odds[None], size, mode="bilinear", align_corners=False)
        return whole[0, 0].sigmoid().cpu().numpy()
