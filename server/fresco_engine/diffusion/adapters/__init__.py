"""Files of small corrections to a network's weights: whose layers they mean, what they add."""
