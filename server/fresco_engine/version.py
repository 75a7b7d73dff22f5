"""The version of this engine."""

__version__ = "0.1.0"
