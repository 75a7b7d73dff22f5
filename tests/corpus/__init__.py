"""The standing corpus: a small clip of every kind that FFmpeg can write, and what is asked of each.

`python -m tests.corpus` makes and checks all of them; the suite does so with a part.
"""
