"""The daemon's work on several machines, by Ray; nothing else in Fresco imports Ray."""
