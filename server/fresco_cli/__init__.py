"""The command line of Fresco."""
