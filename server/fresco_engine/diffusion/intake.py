"""What the files of a model may be before any of them is loaded: bounded, plain, and no programs.

A model is a stranger's. Its configuration decides how much memory is taken and which code runs,
so it is read as text of bounded size, compared with the weights it lies beside, and only then
given to the libraries, in a folder that holds nothing but what was looked at.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from fresco_media.files.opening import (
    NotAFile,
    OutsideFolders,
    TooLarge,
    open_file,
    read_file,
    settled,
)

from fresco_engine.diffusion.schedule import scheduler_from
from fresco_engine.diffusion.weights import LEADS_OUT, Header, read_header
from fresco_engine.errors import ModelCorrupt, WrongModelKind

MOST_TEXT_BYTES = 1 << 20
_MOST_INDEX_BYTES = 16 << 20
_MOST_TOKENIZER_BYTES = 16 << 20
_MOST_NUMBERS = 6_000_000_000
_LARGEST = 1 << 20
_DEEPEST, _MOST_VALUES = 8, 10_000
_MOST_REPEATS = 64
# Of what a network has one after the other; everything else is a width or a length.
_REPEATS = ("layers", "blocks", "num_hidden_layers", "layers_per_block", "num_layers")
# These would have the libraries fetch code or other files, or decide how numbers are unpacked.
_FOREIGN = (
    "auto_map",
    "custom_pipelines",
    "trust_remote_code",
    "quantization_config",
    "attn_implementation",
    "_attn_implementation",
)
_TOKENIZER_FILES = ("vocab_file", "merges_file", "tokenizer_file", "auto_map")
_SLACK_NUMBERS = 100_000
_MOST_STEPS = 100_000
# From one level of a small VAE to the next.
_GROWTH = 2


def read_json(path: Path, most_bytes: int = MOST_TEXT_BYTES) -> dict[str, Any]:
    """The object in a JSON file of at most `most_bytes`.

    Raises:
        ModelCorrupt: there is no such file, or it is damaged, too large, too deep or no file.
    """
    try:
        values = json.loads(read_file(path, most_bytes).decode("utf-8"))
    except OutsideFolders as error:
        raise ModelCorrupt(path, LEADS_OUT) from error
    except (NotAFile, TooLarge) as error:
        raise ModelCorrupt(path, f"{error.strerror}; get the model again") from error
    except (OSError, ValueError, RecursionError) as error:
        raise ModelCorrupt(path, "the file is missing or damaged; get the model again") from error
    if not isinstance(values, dict):
        raise ModelCorrupt(path, "the file is damaged; get the model again")
    return values


def check_config(source: Path, config: Mapping[str, Any]) -> None:
    """Raises the fitting error where a configuration asks for what no such network has.

    Raises:
        WrongModelKind: it wants code or files that do not come with it.
        ModelCorrupt: its numbers, or how many there are, are beyond all measure.
    """
    foreign = [name for name in _FOREIGN if config.get(name)]
    if foreign:
        raise WrongModelKind(
            source,
            f"its configuration asks for code or packing of its own ({foreign[0]}), which is not "
            "run; get the plain version of the model",
        )
    for count, (name, value, depth) in enumerate(_values("", config, 0)):
        if count >= _MOST_VALUES or depth > _DEEPEST:
            raise _beyond(source, "it holds far too much")
        if value is None or isinstance(value, (str, bool)):
            continue
        if not isinstance(value, int | float) or not abs(value) <= _LARGEST:
            raise _beyond(source, f"{name} is {_short(value)}")
        if name.endswith(_REPEATS) and value > _MOST_REPEATS:
            raise _beyond(source, f"{name} is {_short(value)}")


def _values(name: str, value: object, depth: int) -> Iterator[tuple[str, object, int]]:
    """Each value inside, with the name it stands under and how deep."""
    if depth > _DEEPEST or not isinstance(value, dict | list | tuple):
        yield name, value, depth
        return
    pairs = value.items() if isinstance(value, dict) else ((name, item) for item in value)
    for key, item in pairs:
        yield from _values(str(key), item, depth + 1)


def _beyond(source: Path, what: str) -> ModelCorrupt:
    return ModelCorrupt(source, f"its configuration is no network's: {what}; get the model again")


def _unfit(source: Path, error: Exception) -> ModelCorrupt:
    return ModelCorrupt(
        source,
        f"its configuration does not fit together ({_short(error)}); get the model again",
    )


def _short(value: object) -> str:
    try:
        text = str(value)
    except ValueError:  # Python writes out no integer of thousands of digits.
        return "a number of thousands of digits"
    return text if len(text) <= 40 else f"{text[:40]}…"


def scheduler_config(path: Path) -> dict[str, Any]:
    """A noise schedule that can be made; raises as `read_json` and `check_config`."""
    config = read_json(path)
    check_config(path, config)
    steps = config.get("num_train_timesteps", 1000)
    if not isinstance(steps, int) or not 1 <= steps <= _MOST_STEPS:
        raise _beyond(path, f"num_train_timesteps is {_short(steps)}")
    try:
        scheduler_from(config, 1)
    # Whatever the library raises over values that do not fit together.
    except Exception as error:
        raise _unfit(path, error) from error
    return config


def check_size(source: Path, kind: Any, config: Mapping[str, Any], header: Header) -> None:
    """Raises `ModelCorrupt` where the network that `config` describes is not that of the weights.

    The network is made without memory for its numbers, only to count them.
    """
    check_config(source, config)
    _check_kinds(source, kind, config)
    held = check_numbers(source, header)
    described = _count(source, kind, config)
    if described > held + _SLACK_NUMBERS + held // 10:
        raise ModelCorrupt(
            source,
            f"its configuration describes {described} numbers and its files hold {held}; get the "
            "model again",
        )


def _check_kinds(source: Path, kind: Any, config: Mapping[str, Any]) -> None:
    """Raises `ModelCorrupt` where a text stands for a number, or pictures would grow too much."""
    for name, item in inspect.signature(kind.__init__).parameters.items():
        is_number = isinstance(item.default, int | float) and not isinstance(item.default, bool)
        if is_number and isinstance(config.get(name), str):
            raise _beyond(source, f"{name} is {_short(config[name])!r}")
    growth = config.get("upsampling_scaling_factor", _GROWTH)
    if growth != _GROWTH:
        raise _beyond(source, f"upsampling_scaling_factor is {_short(growth)}")


def check_numbers(source: Path, header: Header) -> int:
    """How many numbers weights hold; raises `WrongModelKind` where no such model has so many."""
    held = sum(tensor.count for tensor in header.values())
    if held > _MOST_NUMBERS:
        raise WrongModelKind(
            source,
            f"it holds {held / 1e9:.0f} thousand million numbers, far more than a Stable "
            "Diffusion XL model; choose another",
        )
    return held


def _count(source: Path, kind: Any, config: Mapping[str, Any]) -> int:
    from accelerate import init_empty_weights

    try:
        with init_empty_weights(include_buffers=True):
            network = _made(kind, config)
    # Whatever a library raises over values that do not fit together.
    except Exception as error:
        raise _unfit(source, error) from error
    return sum(value.numel() for value in network.parameters())


def _made(kind: Any, config: Mapping[str, Any]) -> Any:
    if hasattr(kind, "from_config") and not hasattr(kind, "config_class"):
        return kind.from_config(dict(config))
    return kind(kind.config_class.from_dict(dict(config)))


def check_index(folder: Path) -> dict[str, bytes]:
    """The indexes of weights in several files, by name; each names files beside it only.

    Raises:
        WrongModelKind: one names a file that is not a .safetensors file in `folder`.
        ModelCorrupt: one is damaged.
    """
    indexes = {}
    for path in sorted(folder.glob("*.safetensors.index.json")):
        values = read_json(path, _MOST_INDEX_BYTES)
        weights = values.get("weight_map")
        if not isinstance(weights, dict):
            raise ModelCorrupt(path, "the file is damaged; get the model again")
        for name in {str(name) for name in weights.values()}:
            if not _is_beside(name) or not (folder / name).is_file():
                raise WrongModelKind(
                    path,
                    f"it names {_short(name)!r}, which is no .safetensors file beside it; get the "
                    "model again",
                )
        indexes[path.name] = json.dumps(values).encode()
    return indexes


def _is_beside(name: str) -> bool:
    is_plain = not any(mark in name for mark in ("/", "\\", "\0", ":")) and not name.startswith(".")
    return is_plain and name.endswith(".safetensors")


def check_tokenizer(folder: Path) -> None:
    """Raises the fitting error where a tokenizer's files are no such files or name others.

    Raises:
        ModelCorrupt: a file is too large, or no file.
        WrongModelKind: its configuration names other files or code.
    """
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir():
            continue
        try:
            with open_file(path) as file:
                size = file.seek(0, 2)
        except OutsideFolders as error:
            raise ModelCorrupt(path, LEADS_OUT) from error
        except OSError as error:
            raise ModelCorrupt(path, f"{error.strerror}; get the model again") from error
        if size > _MOST_TOKENIZER_BYTES:
            raise ModelCorrupt(path, "it is too large for a tokenizer's; get the model again")
    path = folder / "tokenizer_config.json"
    named = [name for name in _TOKENIZER_FILES if path.is_file() and read_json(path).get(name)]
    if named:
        raise WrongModelKind(
            path, f"it names files or code of its own ({named[0]}); get the plain version"
        )


@contextmanager
def staged(folder: Path, config: Mapping[str, Any], files: list[Path]) -> Iterator[Path]:
    """A folder for the libraries that holds `config`, weights and their index, and nothing else.

    Where links cannot be made it is `folder` itself.
    """
    indexes = check_index(folder)
    with ExitStack() as held:
        stage = Path(held.enter_context(TemporaryDirectory(prefix="fresco-")))
        try:
            for path in files:
                (stage / path.name).symlink_to(held.enter_context(settled(path.absolute())))
        except OSError:
            yield folder
            return
        (stage / "config.json").write_text(json.dumps(config), encoding="utf-8")
        for name, data in indexes.items():
            (stage / name).write_bytes(data)
        yield stage


def headers(files: list[Path]) -> Header:
    """The headers of all `files` in one; raises what `read_header` does."""
    return {name: tensor for path in files for name, tensor in read_header(path).items()}
