"""`python -m fresco_server.cluster`: started by the daemon, spoken to by JSON lines.

--address ADDRESS  the head of a cluster of Ray's; "auto" is that of this machine, or a new one
"""

from __future__ import annotations

from fresco_server.cluster.program import main

if __name__ == "__main__":
    main()
