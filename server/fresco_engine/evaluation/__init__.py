"""How good a result is beside its source: the one home of every measure."""
