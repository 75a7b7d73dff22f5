"""The steps that make the bundled model, one command each."""

import argparse
import logging
from collections.abc import Callable
from pathlib import Path

_log = logging.getLogger(__name__)


def main() -> None:
    """Parses the command line and runs one step."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    arguments = _parser().parse_args()
    arguments.run(arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="fresco_training", description=__doc__)
    steps = parser.add_subparsers(required=True, metavar="STEP")
    data = _step(steps, "data", "cut, jitter and style the pictures", _data)
    data.add_argument("--photos", type=Path, action="append", default=[], help="folder of photos")
    data.add_argument("--panoramas", type=Path, help="folder of equirectangular PNG files")
    data.add_argument("--workers", type=int, default=2)
    text = _step(steps, "text", "build the tokenizer and teach the text encoder the styles", _text)
    text.add_argument("--steps", type=int, default=500)
    _step(steps, "basis", "fit the linear encoder", _basis)
    vae = _step(steps, "vae", "train the autoencoder's decoder", _vae)
    vae.add_argument("--steps", type=int, default=4000)
    vae.add_argument("--rate", type=float, default=1.5e-3)
    unet = _step(steps, "unet", "train U-Net and ControlNet, going on where it stopped", _unet)
    unet.add_argument("--steps", type=int, default=10500)
    unet.add_argument("--large-from", type=float, default=0.876, help="part of the steps at 128 px")
    unet.add_argument("--rate", type=float, default=1e-3, help="learning rate at its highest")
    unet.add_argument("--favour", help="a style that lags behind, to be drawn more often")
    export = _step(steps, "export", "write the model folder from the newest checkpoint", _export)
    export.add_argument("--folder", type=Path, required=True)
    export.add_argument("--version", type=int, default=1)
    _add_evaluation(steps.add_parser("evaluate", help="restyle frames of clips and score them"))
    return parser


def _add_evaluation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--folder", type=Path, required=True, help="exported model")
    parser.add_argument("--photos", type=Path, required=True, help="photographs for style means")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--strength", type=float, default=0.75)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--control", choices=("tile", "canny", "none"), default="tile")
    parser.set_defaults(run=_evaluate)


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
    data.build(path, arguments.photos, arguments.panoramas, data.Share(), arguments.workers)


def _text(arguments: argparse.Namespace) -> None:
    from fresco_training import text

    tokenizer = text.build_tokenizer(arguments.work / "tokenizer")
    encoder = text.build_encoder(tokenizer)
    accuracy = text.pretrain(encoder, tokenizer, arguments.steps, seed=0)
    encoder.save_pretrained(arguments.work / "text_encoder")
    _log.info("%d tokens, styles told apart in %.1f %%", len(tokenizer), 100 * accuracy)


def _basis(arguments: argparse.Namespace) -> None:
    from fresco_training import data, latents, train

    dataset = data.Dataset(arguments.work / "pictures.npy", seed=0)
    basis = latents.fit(dataset, train.style_chances())
    basis.save(arguments.work / "basis.npz")
    _log.info("component sizes %s", basis.deviation.round(3).tolist())


def _vae(arguments: argparse.Namespace) -> None:
    from fresco_training import data, decoder, latents, train

    decoder.train_decoder(
        arguments.work / "vae",
        data.Dataset(arguments.work / "pictures.npy", seed=1),
        latents.PatchBasis.load(arguments.work / "basis.npz"),
        train.style_chances(),
        decoder.DecoderSettings(steps=arguments.steps, rate=arguments.rate),
    )


def _unet(arguments: argparse.Namespace) -> None:
    from fresco_training import train

    settings = train.TrainSettings(
        steps=arguments.steps,
        large_from=arguments.large_from,
        rate=arguments.rate,
        favour=arguments.favour,
    )
    train.Trainer(arguments.work, settings).run()


def _export(arguments: argparse.Namespace) -> None:
    from fresco_training import export

    size = export.export(arguments.work, arguments.folder, arguments.version)
    _log.info("%s holds %.1f MB", arguments.folder, size / 1e6)


def _evaluate(arguments: argparse.Namespace) -> None:
    from fresco_training import evaluate

    sampling = evaluate.Sampling(
        strength=arguments.strength,
        guidance=arguments.guidance,
        steps=arguments.steps,
        control=arguments.control,
    )
    evaluate.evaluate(arguments.folder, arguments.clips, arguments.photos, arguments.out, sampling)
