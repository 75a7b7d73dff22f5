"""Detectors of the real classes, built from their configurations with few random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from fresco_engine.diffusion.quiet import quiet_libraries
from torch import nn
from transformers import (
    CLIPSegConfig,
    CLIPSegForImageSegmentation,
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrResNetConfig,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
)


def tiny_depth() -> Any:
    """Depth Anything with four thin layers, made for pictures of 28 pixels."""
    backbone = Dinov2Config(
        hidden_size=16,
        num_hidden_layers=4,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        out_indices=[1, 2, 3, 4],  # pyright: ignore[reportCallIssue]
        apply_layernorm=True,
        reshape_hidden_states=False,
    )
    config = DepthAnythingConfig(
        backbone_config=backbone,
        reassemble_hidden_size=16,
        neck_hidden_sizes=[4, 8, 8, 8],
        fusion_hidden_size=8,
        head_hidden_size=4,
    )
    return _seeded(lambda: DepthAnythingForDepthEstimation(config))


def tiny_finder() -> Any:
    """RT-DETR with a thin backbone, twenty guesses and two kinds of things."""
    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 8, 8],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        out_features=["stage2", "stage3", "stage4"],  # pyright: ignore[reportCallIssue]
    )
    config = RTDetrConfig(
        backbone_config=backbone,
        encoder_hidden_dim=16,
        encoder_in_channels=[8, 8, 8],
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=2,
        decoder_attention_heads=2,
        num_queries=20,
        id2label={0: "person", 1: "bicycle"},
        label2id={"person": 0, "bicycle": 1},
    )
    return _seeded(lambda: RTDetrForObjectDetection(config))


def tiny_joints() -> Any:
    """ViTPose with two thin layers, made for parts of 64 by 48 pixels."""
    backbone = VitPoseBackboneConfig(
        image_size=[64, 48],
        patch_size=[16, 16],
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        out_indices=[2],  # pyright: ignore[reportCallIssue]
    )
    config = VitPoseConfig(
        backbone_config=backbone,
        num_labels=17,  # pyright: ignore[reportCallIssue]
        use_simple_decoder=True,
        scale_factor=4,
    )
    return _seeded(lambda: VitPoseForPoseEstimation(config))


def tiny_clipseg(odds: float = 0.0) -> Any:
    """CLIPSeg with two thin layers for pictures and one for words; `odds` are added to all."""
    layers = {"hidden_size": 16, "intermediate_size": 16, "num_attention_heads": 2}
    config = CLIPSegConfig(
        text_config={**layers, "num_hidden_layers": 1},
        vision_config={**layers, "num_hidden_layers": 2, "image_size": 32, "patch_size": 16},
        projection_dim=8,
        extract_layers=[0, 1],
        reduce_dim=8,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=8,
        use_complex_transposed_convolution=True,
    )
    network = _seeded(lambda: CLIPSegForImageSegmentation(config))
    network.decoder.transposed_convolution[-1].bias += odds
    return network


def write_network(network: Any, folder: Path) -> Path:
    """Writes config.json and model.safetensors and returns their folder."""
    with quiet_libraries():
        network.save_pretrained(folder)
    return folder


def _seeded(make: Any) -> Any:
    with torch.random.fork_rng(devices=[]), quiet_libraries():
        torch.manual_seed(0)
        network = make().eval().requires_grad_(False)
        for value in network.parameters():
            # As the library begins, they would make next to nothing of any picture.
            if value.ndim > 1:
                nn.init.normal_(value, std=0.3)
        return network
