"""A picture that says how the result is to look, beside words: IP-Adapter (arXiv:2308.06721)."""
