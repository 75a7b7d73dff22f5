"""The version of the contract in protos/fresco/v1 that this daemon speaks."""

API_MAJOR = 1
"""Goes up when a client made for the old contract would no longer work."""
API_MINOR = 4
"""Goes up with every addition; a client that needs a higher one than ours does not fit."""
