"""Procedural pictures: lit solids, figures and textures, for more variety than photographs have."""

import cv2
import numpy as np

from fresco_training.styles import Image


def scene(rng: np.random.Generator, side: int) -> Image:
    """Lit spheres, boxes, figures and patches before a backdrop, (side, side, 3)."""
    image = _backdrop(rng, side)
    drawers = (_sphere, _box, _figure, _patch)
    for _ in range(rng.integers(2, 9)):
        drawers[rng.choice(4, p=[0.3, 0.2, 0.2, 0.3])](image, rng)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.6), 0.0, 1.0)


def colour_field(rng: np.random.Generator, side: int) -> Image:
    """Smooth random colours: what teaches the model that flat areas stay flat."""
    cells = int(rng.integers(2, 7))
    field = rng.random((cells, cells, 3)).astype(np.float32)
    return np.clip(cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC), 0.0, 1.0)


def _colour(rng: np.random.Generator) -> Image:
    value, chroma = rng.uniform(0.15, 1.0), rng.uniform(0.0, 0.9)
    hue = rng.random(3).astype(np.float32)
    return value * ((1 - chroma) + chroma * (hue - hue.min()) / (np.ptp(hue) + 1e-3))


def _texture(rng: np.random.Generator, side: int) -> Image:
    """Smooth noise (side, side, 1) about one, of a random fineness."""
    cells = int(rng.integers(4, max(5, side // 3)))
    noise = rng.random((cells, cells)).astype(np.float32)
    contrast = rng.uniform(0.0, 0.6)
    fine = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC)
    return (1.0 + contrast * (fine - 0.5))[..., None]


def _backdrop(rng: np.random.Generator, side: int) -> Image:
    rows = np.linspace(0, 1, side, dtype=np.float32)[:, None, None]
    sky = _colour(rng) * (1 - rows) + _colour(rng) * rows
    horizon = rng.uniform(0.3, 1.1)
    ground = _colour(rng) * (0.6 + 0.4 * rows)
    image = np.where(rows > horizon, ground * _texture(rng, side), sky * np.ones((1, side, 1)))
    return image.astype(np.float32)


def _paint(image: Image, mask: Image, colour: Image) -> None:
    """Puts `colour` over `image` where `mask` (h, w) is one, with a soft rim."""
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.8)[..., None]
    image += (colour - image) * soft


def _sphere(image: Image, rng: np.random.Generator) -> None:
    side = image.shape[0]
    radius = rng.uniform(0.04, 0.28) * side
    cx, cy = rng.uniform(0, side, 2)
    y, x = np.mgrid[:side, :side].astype(np.float32)
    nx, ny = (x - cx) / radius, (y - cy) / radius
    inside = nx**2 + ny**2 < 1
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
    light = rng.normal(size=3) + np.array([0, -0.8, 1.2])
    light /= np.linalg.norm(light)
    lambert = np.clip(nx * light[0] + ny * light[1] + nz * light[2], 0, 1)
    shine = rng.uniform(0, 0.8) * lambert**24
    shadow = ((x - cx) / (1.3 * radius)) ** 2 + ((y - cy - radius) / (0.3 * radius)) ** 2 < 1
    _paint(image, cv2.GaussianBlur(shadow.astype(np.float32), (0, 0), radius / 8), image * 0.55)
    shaded = _colour(rng) * (0.2 + 0.8 * lambert)[..., None] * _texture(rng, side)
    _paint(image, inside, shaded + shine[..., None])


def _box(image: Image, rng: np.random.Generator) -> None:
    side = image.shape[0]
    corner = rng.uniform(0, 0.8, 2) * side
    right, down = rng.uniform(0.08, 0.35, 2) * side
    depth = rng.uniform(0.03, 0.12, 2) * side * np.array([1, -1])
    across, along = np.array([right, 0.0]), np.array([0.0, down])
    a, b = corner, corner + across
    c, d = corner + across + along, corner + along
    colour = _colour(rng)
    faces = (
        ((a, b, c, d), 0.8),
        ((a, a + depth, b + depth, b), 1.1),
        ((b, b + depth, c + depth, c), 0.45),
    )
    for corners, light in faces:
        _fill(image, np.array(corners), colour * light * _texture(rng, side))


def _fill(image: Image, corners: np.ndarray, colour: Image) -> None:
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [corners.astype(np.int32)], 1)
    _paint(image, mask, colour)


def _figure(image: Image, rng: np.random.Generator) -> None:
    """A simple person: legs, body, arms and head, in proportion and random poses."""
    side = image.shape[0]
    tall = rng.uniform(0.25, 0.9) * side
    x, y = rng.uniform(0.1, 0.9) * side, rng.uniform(0.0, 0.5) * side
    skin = np.float32([0.95, 0.75, 0.62]) * rng.uniform(0.3, 1.0)
    cloth, trousers = _colour(rng), _colour(rng)
    hip, neck = np.array([x, y + 0.52 * tall]), np.array([x, y + 0.2 * tall])
    down = np.array([0.0, tall])
    thick = max(2, int(0.09 * tall))
    for turn in rng.uniform(-0.5, 0.5, 2):
        _limb(
            image, hip, hip + 0.45 * tall * np.array([np.sin(turn), np.cos(turn)]), thick, trousers
        )
    _limb(image, hip, neck + 0.06 * down, int(1.9 * thick), cloth)
    for turn in rng.uniform(-2.2, 2.2, 2):
        hand = neck + 0.33 * tall * np.array([np.sin(turn), np.cos(turn)])
        _limb(image, neck + 0.05 * down, hand, max(2, int(0.7 * thick)), cloth)
        _limb(image, hand, hand + 0.03 * down, max(2, int(0.6 * thick)), skin)
    _limb(image, neck - 0.07 * down, neck - 0.02 * down, int(1.6 * thick), skin)
    hair = _colour(rng) * 0.5
    _limb(image, neck - 0.13 * down, neck - 0.12 * down, int(1.5 * thick), hair)


def _limb(image: Image, start: np.ndarray, end: np.ndarray, thick: int, colour: Image) -> None:
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.line(mask, tuple(map(int, start)), tuple(map(int, end)), 1, max(thick, 1), cv2.LINE_AA)
    core = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(thick / 4, 0.5))
    _paint(image, mask, colour * (0.55 + 0.5 * core)[..., None])


def _patch(image: Image, rng: np.random.Generator) -> None:
    """A textured polygon or ellipse."""
    side = image.shape[0]
    centre, size = rng.uniform(0, side, 2), rng.uniform(0.03, 0.3, 2) * side
    colour = _colour(rng) * _texture(rng, side)
    if rng.random() < 0.5:
        angles = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 8)))
        _fill(image, centre + size * np.stack([np.cos(angles), np.sin(angles)], 1), colour)
        return
    mask = np.zeros(image.shape[:2], np.uint8)
    axes = tuple(map(int, np.maximum(size, 1)))
    cv2.ellipse(mask, tuple(map(int, centre)), axes, rng.uniform(0, 180), 0, 360, 1, -1)
    _paint(image, mask, colour)
