"""Talking to a Fresco daemon: find or start it, submit, watch, fetch."""
