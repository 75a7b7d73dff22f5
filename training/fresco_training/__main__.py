"""Command line: `python -m fresco_training STEP --help`."""

from fresco_media.files import interrupts

if __name__ == "__main__":
    with interrupts.ends_at_once():
        from fresco_training.cli import main
    main()
