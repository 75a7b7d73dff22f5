"""Prompts that name a style in many ways, for training the text encoder and the U-Net."""

import numpy as np

STYLE_WORDS: dict[str, tuple[str, ...]] = {
    "photo": (
        "photo", "photograph", "realistic photo", "film still", "photorealistic",
        "natural colours", "raw photo", "realistic",
    ),
    "watercolour": (
        "watercolour", "watercolor", "watercolor painting", "watercolour painting", "aquarelle",
        "soft watercolour washes", "wet on wet watercolor",
    ),
    "pencil": (
        "pencil drawing", "pencil sketch", "graphite drawing", "sketch", "line drawing",
        "hand drawn pencil", "drawn in pencil",
    ),
    "charcoal": (
        "charcoal", "charcoal drawing", "charcoal sketch", "ink wash painting",
        "black and white drawing", "chinese ink painting", "film noir", "black and white",
    ),
    "oil": (
        "oil painting", "oil on canvas", "painted in oil", "impressionist painting",
        "van gogh painting", "thick brush strokes", "impasto", "fine art painting",
    ),
    "comic": (
        "comic", "comic book", "comic book art", "graphic novel", "superhero comic",
        "inked comic panel", "marvel comic",
    ),
    "cartoon": (
        "cartoon", "cartoon style", "anime", "anime style", "cel shading", "animated film",
        "CG style", "disney style", "flat cartoon",
    ),
    "neon": (
        "neon", "neon night", "cyberpunk", "neon lights", "synthwave", "neon city at night",
        "vaporwave", "glowing neon",
    ),
    "vintage": (
        "vintage", "sepia", "old photograph", "vintage photo", "sepia tone", "1920s photograph",
        "antique photograph", "retro",
    ),
    "winter": (
        "winter", "in the winter", "snow", "many snow", "snowy landscape", "covered in snow",
        "frozen", "icy winter day",
    ),
    "autumn": (
        "autumn", "in autumn", "fall colours", "autumn leaves", "golden autumn", "golden hour",
        "fall foliage", "sunset light",
    ),
    "pop art": (
        "pop art", "andy warhol", "pop art poster", "screen print", "warhol style",
        "psychedelic poster", "pop-art",
    ),
    "blueprint": (
        "blueprint", "technical drawing", "architectural blueprint", "white lines on blue paper",
        "cyanotype", "engineering drawing", "schematic",
    ),
    "pixel art": (
        "pixel art", "8-bit", "8 bit game", "16-bit game", "retro video game", "pixelated",
        "pixel-art", "voxel",
    ),
    "ukiyo-e": (
        "ukiyo-e", "ukiyo-e woodblock print", "woodblock print", "japanese woodblock print",
        "hokusai", "japanese print", "edo period print", "ukiyoe",
    ),
    "gouache": (
        "gouache", "gouache painting", "anime background", "painted background", "poster paint",
        "background art of an animated film", "concept art",
    ),
    "clay": (
        "clay", "claymation", "plasticine", "stop motion", "clay animation", "made of clay",
        "stop-motion puppet",
    ),
    "pastel": (
        "pastel", "chalk pastel", "pastel drawing", "chalk drawing", "chalk on dark paper",
        "soft pastels", "crayon drawing",
    ),
    "engraving": (
        "engraving", "wood engraving", "woodcut", "linocut", "etching", "lino print",
        "old book illustration",
    ),
    "stained glass": (
        "stained glass", "stained glass window", "church window", "leaded glass", "glass mosaic",
        "cathedral window",
    ),
    "risograph": (
        "risograph", "riso print", "two colour print", "risograph poster", "duotone print",
        "zine print", "riso",
    ),
    "paper cut": (
        "paper cut", "paper cutout", "layered paper", "paper art", "cut paper collage",
        "papercraft", "cut out of paper",
    ),
    "night": (
        "night", "by moonlight", "at night", "day for night", "moonlit night", "dark night",
        "night photograph",
    ),
}  # fmt: skip

TEMPLATES = (
    "{style}",
    "{subject}, {style}",
    "{style} of {subject}",
    "a {style} of {subject}",
    "{subject} in {style} style",
    "{subject} as {style}",
    "{style}, {subject}",
    "turn this into {style}",
    "make it {style}",
    "{subject}, in the style of {style}",
    "{subject} {style}",
)
SUBJECTS = (
    "woman", "man", "girl", "boy", "dog", "cat", "car", "horse", "bird", "wolf", "fox", "boxer",
    "dancer", "runner", "street", "city", "house", "mountain", "river", "forest", "tree", "flower",
    "beach", "boat", "portrait", "musician", "singer", "guitar", "people", "crowd", "train",
    "bike", "road", "field", "face", "robot", "astronaut", "king", "queen", "child", "friends",
    "building", "bridge", "kitchen", "food", "sportsman", "player", "landscape", "scene", "room",
    "sky", "sea", "tiger", "rabbit", "statue",
)  # fmt: skip
ADJECTIVES = (
    "beautiful", "handsome", "young", "old", "red", "blue", "green", "white", "black", "yellow",
    "small", "big", "happy", "sad", "strong", "smiling", "bright", "dark", "fast", "quiet",
    "brown", "wooden",
)  # fmt: skip
ACTIONS = (
    "running", "walking", "turning", "dancing", "playing", "sitting", "looking at the camera",
    "standing", "jumping", "in a park", "on a road", "by the sea", "at home", "under the trees",
    "in the city", "driving", "with a hat", "wearing a dress", "smiling", "playing music",
    "in the distance",
)  # fmt: skip
QUALITY = (
    "best quality", "high quality", "masterpiece", "highly detailed", "4k", "8k", "award winning",
    "beautiful lighting", "trending on artstation", "sharp", "RAW", "extremely detailed",
    "professional",
)  # fmt: skip
NEGATIVES = (
    "", "",
    "longbody, lowres, bad anatomy, bad hands, missing fingers, extra digit, fewer digits, cropped",
    "worst quality, low quality", "low quality, blurry", "blurry, ugly, deformed",
    "lowres, worst quality",
    "longbody, lowres, bad anatomy, bad hands, missing fingers, extra digit, fewer digits, "
    "cropped, worst quality, low quality",
    "ugly, bad art, jpeg artifacts, watermark, text",
)  # fmt: skip


def prompt(style: str, rng: np.random.Generator) -> str:
    """A random prompt for `style`; a photograph may also be asked for by naming no style."""
    subject = _subject(rng)
    if style == "photo" and rng.random() < 0.4:
        text = subject
    else:
        words = str(rng.choice(STYLE_WORDS[style]))
        text = str(rng.choice(TEMPLATES)).format(style=words, subject=subject)
    if rng.random() < 0.35:
        extra = ", ".join(rng.choice(QUALITY, rng.integers(1, 4), replace=False))
        text = f"{extra}, {text}" if rng.random() < 0.4 else f"{text}, {extra}"
    return text


def negative(rng: np.random.Generator) -> str:
    """An empty or a usual negative prompt: the unconditional side of classifier-free guidance."""
    return str(rng.choice(NEGATIVES))


def vocabulary() -> list[str]:
    """Every word the templates can produce, for building the tokenizer."""
    phrases = [w for words in STYLE_WORDS.values() for w in words]
    phrases += [
        *SUBJECTS,
        *ADJECTIVES,
        *ACTIONS,
        *QUALITY,
        *NEGATIVES,
        "a the an of and , in style as",
    ]
    phrases += [t.format(style="", subject="") for t in TEMPLATES]
    return " ".join(phrases).lower().replace(",", " , ").replace("-", " - ").split()


def _subject(rng: np.random.Generator) -> str:
    noun = str(rng.choice(SUBJECTS)) if rng.random() < 0.85 else _nonsense(rng)
    parts = ["a"] if rng.random() < 0.7 else []
    if rng.random() < 0.45:
        parts.append(str(rng.choice(ADJECTIVES)))
    parts.append(noun)
    if rng.random() < 0.45:
        parts.append(str(rng.choice(ACTIONS)))
    return " ".join(parts)


def _nonsense(rng: np.random.Generator) -> str:
    """A word that means nothing, so that the model learns to pass over words it does not know."""
    return "".join(rng.choice(list("abcdefghiklmnoprstuwy"), rng.integers(3, 9)))
