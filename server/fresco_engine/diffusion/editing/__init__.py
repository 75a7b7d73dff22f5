"""Editing by words: the way back to the input, and what of it an edit holds on to."""
