"""Command line: `python -m fresco_training STEP --help`."""

from fresco_training.cli import main

if __name__ == "__main__":
    main()
