"""Fresco in DaVinci Resolve.

scripts/    what Resolve's menu runs, in whatever Python or Lua it has: a bridge, nothing else
bridge/     carries calls from our own Python into Resolve: over a pipe, or through files
host/       the only calls of Resolve's interface
core.py     what happens, with no Resolve in it; sources, pending jobs and choices are its parts
companion.py   the process of our own that a menu script starts; parts: controller, window/
install.py  putting the scripts where Resolve looks for them, which folders.py knows
"""
