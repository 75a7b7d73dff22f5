"""A session without a daemon: the engine does what is asked for in the program that asks."""
