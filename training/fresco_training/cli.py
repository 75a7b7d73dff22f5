"""The steps that make the bundled model, one command each."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fresco_training.styles import Image

_log = logging.getLogger(__name__)


def main() -> None:
    """Parses the command line and runs one step."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    arguments = _parser().parse_args()
    from fresco_training import own

    own.load(arguments.styles)
    arguments.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fresco_training", description=__doc__)
    parser.add_argument(
        "--styles", type=Path, help="Python file that adds styles, the same at every step"
    )
    steps = parser.add_subparsers(required=True, metavar="STEP")
    data = _step(steps, "data", "cut, jitter and style the pictures", _data)
    data.add_argument("--photos", type=Path, action="append", default=[], help="folder of photos")
    data.add_argument("--panoramas", type=Path, help="folder of equirectangular PNG files")
    data.add_argument("--clips", type=Path, help="folder of clips that may be trained on")
    data.add_argument("--workers", type=int, default=2)
    text = _step(steps, "text", "build the tokenizer and teach the text encoder the styles", _text)
    text.add_argument("--steps", type=int, default=500)
    _step(steps, "basis", "fit the linear encoder", _basis)
    vae = _step(steps, "vae", "train the autoencoder's decoder", _vae)
    vae.add_argument("--steps", type=int, default=4000)
    vae.add_argument("--rate", type=float, default=1.5e-3)
    vae.add_argument("--batch", type=int, default=24)
    vae.add_argument("--side", type=int, default=64, help="pixels of a sample")
    vae.add_argument("--restyled", action="store_true", help="also on what the U-Net makes")
    _add_length(vae)
    unet = _step(steps, "unet", "train U-Net and ControlNet, going on where it stopped", _unet)
    unet.add_argument("--steps", type=int, default=10500)
    unet.add_argument("--large-from", type=float, default=0.876, help="part of the steps at 128 px")
    unet.add_argument("--rate", type=float, default=1e-3, help="learning rate at its highest")
    unet.add_argument("--batch", type=int, default=12, help="samples of 128 px in a step")
    unet.add_argument("--large-batch", type=int, default=6, help="samples of 256 px in a step")
    _add_length(unet)
    unet.add_argument(
        "--favour",
        nargs="+",
        default=(),
        metavar="STYLE",
        help="styles that lag behind, to be drawn more often",
    )
    summary = "train the network that says how different pictures look"
    perception = _step(steps, "perception", summary, _perception)
    perception.add_argument("--steps", type=int, default=2000)
    perception.add_argument(
        "--minutes", type=float, help="train for so long instead of so many steps"
    )
    blend = _step(steps, "blend", "take back part of the decoder's last training", _blend)
    blend.add_argument("--before", type=Path, required=True, help="copy of WORK/vae before it")
    blend.add_argument("--share", type=float, default=0.5, help="of the new one that is kept")
    start = _step(steps, "start", "go on from an exported model instead of from nothing", _start)
    start.add_argument("--folder", type=Path, required=True, help="exported model")
    export = _step(steps, "export", "write the model folder from the newest checkpoint", _export)
    export.add_argument("--folder", type=Path, required=True)
    export.add_argument("--version", type=int, default=1)
    _add_evaluation(steps)
    return parser


def _add_evaluation(steps: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    summary = "restyle frames of clips in every style and score them"
    parser = _of_model(steps, "evaluate", summary, _evaluate)
    parser.add_argument("--photos", type=Path, required=True, help="photographs to know styles by")
    parser.add_argument("--perception", type=Path, required=True, help="WORK/perception.pt")
    parser.add_argument("--frames", type=int, default=5, help="frames of each clip")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--side", type=int, default=256, help="short side of the frames")
    summary = "measure how far each look goes at several strengths"
    parser = _of_model(steps, "strengths", summary, _strengths)
    parser.add_argument("--photos", type=Path, required=True, help="photographs to know styles by")
    parser.add_argument("--side", type=int, default=256, help="short side of the pictures")
    summary = "score the autoencoder on pictures and frames, plain and in every style"
    parser = _of_model(steps, "evaluate-vae", summary, _evaluate_vae)
    parser.add_argument("--side", type=int, default=512, help="short side of the pictures")
    parser.add_argument("--only", action="append", help="a style, in place of all; may be repeated")
    parser = _of_model(steps, "sheet", "write a contact sheet of pictures and frames", _sheet)
    parser.add_argument("--side", type=int, default=512, help="short side of the pictures")
    parser.add_argument("--width", type=int, default=256, help="of a picture on the sheet")
    step = steps.add_parser("cards", help="write the pictures by which the styles are shown")
    step.add_argument("files", type=Path, nargs="+", help="pictures or clips, two of them best")
    step.add_argument("--folder", type=Path, required=True, help="exported model")
    step.add_argument("--side", type=int, default=384, help="short side of the pictures")
    step.set_defaults(run=_cards)


def _add_length(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, help="train for so long instead of so many steps")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="compile the networks first")


def _of_model(
    steps: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    step = steps.add_parser(name, help=summary)
    step.add_argument("files", type=Path, nargs="+", help="clips, or pictures where they will do")
    step.add_argument("--folder", type=Path, required=True, help="exported model")
    step.add_argument("--out", type=Path, required=True)
    step.set_defaults(run=run)
    return step


def _step(
    steps: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    run: Callable[[argparse.Namespace], None],
) -> argparse.ArgumentParser:
    step = steps.add_parser(name, help=summary)
    step.add_argument("--work", type=Path, required=True, help="folder of data and checkpoints")
    step.set_defaults(run=run)
    return step


def _data(arguments: argparse.Namespace) -> None:
    from fresco_training import data

    path = arguments.work / "pictures.npy"
    folders = data.Folders(
        photos=tuple(arguments.photos), panoramas=arguments.panoramas, clips=arguments.clips
    )
    data.build(path, folders, data.Share(), arguments.workers, arguments.styles)


def _text(arguments: argparse.Namespace) -> None:
    from fresco_training import text

    tokenizer = text.build_tokenizer(arguments.work / "tokenizer")
    encoder = text.build_encoder(tokenizer)
    accuracy = text.pretrain(encoder, tokenizer, arguments.steps, seed=0)
    encoder.save_pretrained(arguments.work / "text_encoder")
    _log.info("%d tokens, styles told apart in %.1f %%", len(tokenizer), 100 * accuracy)


def _start(arguments: argparse.Namespace) -> None:
    from fresco_training import start

    start.start(arguments.folder, arguments.work)


def _basis(arguments: argparse.Namespace) -> None:
    from fresco_training import data, latents, train

    dataset = data.Dataset(arguments.work / "pictures.npy", seed=0)
    basis = latents.fit(dataset, train.style_chances())
    basis.save(arguments.work / "basis.npz")
    _log.info("component sizes %s", basis.deviation.round(3).tolist())


def _vae(arguments: argparse.Namespace) -> None:
    from fresco_training import data, decoder, latents, pace, restyling, train

    restyler = None
    if arguments.restyled:
        restyler = restyling.Restyler(arguments.work, pace.training_device(), arguments.seed)
    trainer = decoder.DecoderTrainer(
        arguments.work / "vae",
        data.Dataset(arguments.work / "pictures.npy", seed=1 + arguments.seed),
        latents.PatchBasis.load(arguments.work / "basis.npz"),
        train.style_chances(),
        decoder.DecoderSettings(
            steps=arguments.steps,
            rate=arguments.rate,
            batch=arguments.batch,
            side=arguments.side,
            minutes=arguments.minutes,
            seed=arguments.seed,
            compile=arguments.compile,
        ),
        restyler,
    )
    trainer.run()


def _blend(arguments: argparse.Namespace) -> None:
    from fresco_training import decoder

    decoder.blend(arguments.work / "vae", arguments.before, arguments.share)


def _unet(arguments: argparse.Namespace) -> None:
    from fresco_training import train

    settings = train.TrainSettings(
        steps=arguments.steps,
        large_from=arguments.large_from,
        rate=arguments.rate,
        minutes=arguments.minutes,
        seed=arguments.seed,
        compile=arguments.compile,
        small=(arguments.batch, 128),
        large=(arguments.large_batch, 256),
        favour=tuple(arguments.favour),
    )
    train.Trainer(arguments.work, settings).run()


def _perception(arguments: argparse.Namespace) -> None:
    from fresco_training import data, perception

    settings = perception.PerceptionSettings(steps=arguments.steps, minutes=arguments.minutes)
    dataset = data.Dataset(arguments.work / "pictures.npy", seed=2)
    right = perception.train(dataset, arguments.work / "perception.pt", settings)
    _log.info("looks named %.2f, photographs found again %.2f", right["style"], right["content"])


def _export(arguments: argparse.Namespace) -> None:
    from fresco_training import export

    size = export.export(arguments.work, arguments.folder, arguments.version)
    _log.info("%s holds %.1f MB", arguments.folder, size / 1e6)


def _evaluate(arguments: argparse.Namespace) -> None:
    from fresco_training import evaluate

    wanted = evaluate.Wanted(frames=arguments.frames, seeds=arguments.seeds, side=arguments.side)
    judges = evaluate.Judges.of(arguments.photos, arguments.perception)
    evaluate.evaluate(arguments.folder, arguments.files, judges, arguments.out, wanted)


def _evaluate_vae(arguments: argparse.Namespace) -> None:
    from fresco_training import evaluate

    styles = tuple(arguments.only or evaluate.STYLE_NAMES)
    if unknown := set(styles) - set(evaluate.STYLE_NAMES):
        raise SystemExit(f"unknown to --only: {', '.join(sorted(unknown))}")
    pictures = _pictures(arguments.files, arguments.side)
    evaluate.evaluate_autoencoder(arguments.folder, pictures, styles, arguments.out)


def _sheet(arguments: argparse.Namespace) -> None:
    from fresco_training import evaluate

    pictures = list(_pictures(arguments.files, arguments.side).values())
    evaluate.sheet(arguments.folder, pictures, arguments.out, arguments.width)


def _strengths(arguments: argparse.Namespace) -> None:
    from fresco_training import evaluate

    frames = list(_pictures(arguments.files, arguments.side).values())
    evaluate.strengths(arguments.folder, frames, arguments.photos, arguments.out)


def _cards(arguments: argparse.Namespace) -> None:
    from fresco_training import evaluate

    pictures = list(_pictures(arguments.files, arguments.side).values())
    evaluate.cards(arguments.folder, pictures)


def _pictures(files: list[Path], side: int) -> "dict[str, Image]":
    """Pictures, and of clips the frame in the middle, by the names of their files."""
    from fresco_training import evaluate, sources

    return {
        file.stem: evaluate.resized(sources.load(file), side)
        if file.suffix.lower() in sources.PICTURES
        else evaluate.read_frames(file, side, 1)[0]
        for file in files
    }
