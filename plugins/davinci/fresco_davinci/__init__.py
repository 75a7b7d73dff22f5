"""Fresco in DaVinci Resolve.

scripts/    what Resolve's menu runs, in whatever Python or Lua it has: starts a bridge, nothing else
bridge/     carries calls from our own Python into Resolve: over a pipe, or through a mailbox of files
host/       the only calls of Resolve's interface
core.py     what happens, with no Resolve in it; sources.py, orders.py, choices.py are its parts
companion.py, window.py   the process of our own that a menu script starts, and its window
folders.py, install.py    where Resolve looks for scripts, and putting them there
"""
