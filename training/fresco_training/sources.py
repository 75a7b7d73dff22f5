"""Photographs that may be trained on: Kodak's suite, scikit-image's free ones, CC0 panoramas."""

from pathlib import Path

import cv2
import numpy as np

from fresco_training.styles import Image

# Photographs in scikit-image that its documentation calls CC0 or public domain.
FREE_IN_SCIKIT_IMAGE = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png")


CLIPS = {".mp4", ".mov", ".mkv", ".webm", ".avi"}
PICTURES = {".jpg", ".jpeg", ".png", ".exr"}


def load(path: Path) -> Image:
    """A picture file as float32 RGB in [0, 1]; light of OpenEXR files is tone-mapped."""
    if path.suffix == ".exr":
        return _load_light(path)
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise FileNotFoundError(f"{path} cannot be read as a picture")
    return pixels[..., ::-1].astype(np.float32) / 255.0


def _load_light(path: Path) -> Image:
    """Scene light, exposed so that its median becomes a middle grey."""
    import OpenEXR

    with OpenEXR.File(str(path)) as file:
        light = np.maximum(file.channels()["RGB"].pixels.astype(np.float32), 0.0)
    exposed = 1.0 - np.exp(-light * np.float32(0.35 / max(float(np.median(light)), 1e-4)))
    return exposed ** np.float32(1 / 2.2)


def scikit_image_photographs() -> list[Image]:
    """The free photographs that the scikit-image package carries with it."""
    import skimage.data

    folder = Path(skimage.data.__file__).parent
    return [load(folder / name) for name in FREE_IN_SCIKIT_IMAGE]


def folder_photographs(folder: Path) -> list[Image]:
    """Every picture file of `folder`, in order of name."""
    return [load(p) for p in sorted(folder.glob("*")) if p.suffix.lower() in PICTURES]


def folder_frames(folder: Path, count: int) -> list[Image]:
    """`count` frames evenly taken from every clip of `folder`."""
    return [
        frame
        for path in sorted(folder.glob("*"))
        if path.suffix.lower() in CLIPS
        for frame in clip_frames(path, count)
    ]


def clip_frames(path: Path, count: int) -> list[Image]:
    """`count` frames evenly taken from a clip, without its first and last."""
    capture = cv2.VideoCapture(str(path))
    total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    if total < 1:
        raise FileNotFoundError(f"{path} cannot be read as a clip")
    frames = []
    for index in np.linspace(0, total - 1, count + 2)[1:-1].round():
        capture.set(cv2.CAP_PROP_POS_FRAMES, int(index))
        good, frame = capture.read()
        if good:
            frames.append(frame[..., ::-1].astype(np.float32) / 255.0)
    return frames


def perspective(panorama: Image, rng: np.random.Generator, side: int) -> Image:
    """A random view, level with the horizon or near it, into an equirectangular panorama."""
    height, width = panorama.shape[:2]
    focal = 0.5 / np.tan(np.radians(rng.uniform(55, 95)) / 2)
    plane = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
    x, y = np.meshgrid(plane, plane)
    pitch = np.radians(rng.uniform(-25, 20))
    down = y * np.cos(pitch) - focal * np.sin(pitch)
    ahead = focal * np.cos(pitch) + y * np.sin(pitch)
    longitude = np.arctan2(x, ahead) / (2 * np.pi) + rng.random()
    latitude = np.arctan2(down, np.hypot(x, ahead)) / np.pi + 0.5
    columns = (longitude % 1.0 * width).astype(np.float32)
    rows = np.clip(latitude * height, 0, height - 1).astype(np.float32)
    return cv2.remap(panorama, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_WRAP)


def crop(photograph: Image, rng: np.random.Generator, side: int) -> Image:
    """A random square of a photograph, sometimes turned a little, resized to `side`."""
    height, width = photograph.shape[:2]
    size = rng.uniform(0.35, 1.0) * min(height, width) * 0.98
    angle = rng.normal(0, 5) if rng.random() < 0.3 and size < 0.8 * min(height, width) else 0.0
    cx, cy = rng.uniform(size / 2, width - size / 2), rng.uniform(size / 2, height - size / 2)
    turn = cv2.getRotationMatrix2D((cx, cy), angle, side / size)
    turn[:, 2] += [side / 2 - cx, side / 2 - cy]
    smooth = photograph
    if size > side:
        smooth = cv2.GaussianBlur(photograph, (0, 0), 0.4 * size / side)
    square = cv2.warpAffine(
        smooth, turn, (side, side), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
    )
    return np.clip(square, 0.0, 1.0)


def jitter(image: Image, rng: np.random.Generator) -> Image:
    """Strong changes of exposure, colour and sharpness: few photographs must stand for many."""
    if rng.random() < 0.5:
        image = image[:, ::-1]
    image = np.clip(image, 0.0, 1.0) ** np.float32(np.exp(rng.normal(0, 0.3)))
    image = image * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)
    grey = image.mean(axis=2, keepdims=True)
    image = grey + (image - grey) * np.float32(np.clip(rng.normal(1.0, 0.35), 0.1, 1.8))
    if rng.random() < 0.12:
        image = _turn_hue(image, rng.uniform(-180, 180))
    contrast = np.float32(np.exp(rng.normal(0, 0.2)))
    image = 0.45 + (image - 0.45) * contrast + np.float32(rng.normal(0, 0.06))
    if rng.random() < 0.12:
        image = image * np.float32(rng.uniform(0.2, 0.6))  # After dusk.
    if rng.random() < 0.25:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.5, 1.6))
    return np.clip(image, 0.0, 1.0).astype(np.float32)


def grainy(image: Image, rng: np.random.Generator) -> Image:
    """The picture as a poor camera has it: noisy, soft or both."""
    soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.4))
    noise = rng.normal(0.0, rng.uniform(0.0, 0.04), image.shape).astype(np.float32)
    return np.clip(soft + cv2.GaussianBlur(noise, (0, 0), 0.6), 0.0, 1.0)


def _turn_hue(image: Image, degrees: float) -> Image:
    hsv = cv2.cvtColor(np.clip(image, 0, 1).astype(np.float32), cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + degrees) % 360
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)
