"""The daemon that the app works with, and its line at the foot of the window."""
