"""Showing what was made of a clip in a region of it only, and the clip's own pixels elsewhere."""
