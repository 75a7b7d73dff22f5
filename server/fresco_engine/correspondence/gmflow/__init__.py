"""GMFlow (arXiv:2111.13680): optical flow by matching all of one picture with all of another."""
