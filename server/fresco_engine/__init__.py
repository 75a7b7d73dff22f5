"""FRESCO video restyling as a library: a clip goes in, events come out.

Letters in shape comments, everywhere in this package:
`b` classifier-free-guidance halves, `f` frames of a batch, `c` channels, `h w` height and width of
a map, `n` tokens (h * w), `d` size of one attention head, `H W` pixels of a frame.

Flow convention: `flow[i→j]` at a pixel of frame i points to where that pixel went in frame j,
in pixels of the map it is defined on, x to the right and y down.
"""

from fresco_engine.version import __version__ as __version__
