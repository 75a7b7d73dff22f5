"""From stored values to what screens show, and back: matrix, transfer, profiles."""
