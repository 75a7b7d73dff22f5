"""The process that works on one device: the only part of the daemon that loads the engine."""
