"""`fresco` and `python -m fresco_cli`."""


def main() -> None:
    pass
