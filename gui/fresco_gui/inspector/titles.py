"""What settings are called in the form. Names come from the daemon, words from here."""

from __future__ import annotations

from PyQt6.QtCore import QCoreApplication

translate = QCoreApplication.translate


def title_of(name: str) -> str:
    """A setting's name as a label; one that only a newer daemon knows is made readable."""
    known = {**_of_look(), **_of_keyframes(), **_of_adaptations(), **_of_quality()}
    if name in known:
        return known[name]
    text = name.rpartition(".")[2].replace("_", " ")
    return text[:1].upper() + text[1:]


def _of_look() -> dict[str, str]:
    return {
        "prompt": translate("Setting", "Prompt"),
        "style": translate("Setting", "Style"),
        "negative_prompt": translate("Setting", "Negative prompt"),
        "preset": translate("Setting", "Preset"),
        "strength": translate("Setting", "Strength"),
        "keep_colours": translate("Setting", "Keep colours"),
        "colourise": translate("Setting", "Colourise"),
        "seed": translate("Setting", "Seed"),
        "control": translate("Setting", "Control"),
        "control_scale": translate("Setting", "Control scale"),
        "start": translate("Setting", "From"),
        "stop": translate("Setting", "Until"),
    }


def _of_keyframes() -> dict[str, str]:
    return {
        "batch_size": translate("Setting", "Batch size"),
        "keyframe_min": translate("Setting", "Least spacing"),
        "keyframe_max": translate("Setting", "Most spacing"),
    }


def _of_adaptations() -> dict[str, str]:
    return {
        "attention.spatial": translate("Setting", "Spatial"),
        "attention.spatial_scale": translate("Setting", "Spatial scale"),
        "attention.spatial_until": translate("Setting", "Spatial until"),
        "attention.cross_frame": translate("Setting", "Cross-frame"),
        "attention.temporal": translate("Setting", "Temporal"),
        "attention.temporal_scale": translate("Setting", "Temporal scale"),
        "attention.temporal_until": translate("Setting", "Temporal until"),
        "optimisation.temporal": translate("Setting", "Temporal"),
        "optimisation.spatial": translate("Setting", "Spatial"),
        "optimisation.iterations": translate("Setting", "Iterations"),
        "optimisation.learning_rate": translate("Setting", "Learning rate"),
        "optimisation.spatial_weight": translate("Setting", "Spatial weight"),
        "optimisation.until": translate("Setting", "Until"),
        "smoothing.is_on": translate("Setting", "Smoothing"),
        "smoothing.start": translate("Setting", "From"),
        "smoothing.stop": translate("Setting", "Until"),
        "smoothing.dilation": translate("Setting", "Dilation"),
    }


def _of_quality() -> dict[str, str]:
    return {
        "steps": translate("Setting", "Steps"),
        "guidance_scale": translate("Setting", "Guidance scale"),
        "size": translate("Setting", "Working size"),
        "interpolation": translate("Setting", "Frames between"),
        "free_u": translate("Setting", "FreeU"),
        "shared_noise": translate("Setting", "Shared noise"),
        "shared_step_noise": translate("Setting", "Step noise"),
    }
