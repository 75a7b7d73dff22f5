"""The command line of Fresco: options in, the engine's events as progress, JSON and exit codes."""
