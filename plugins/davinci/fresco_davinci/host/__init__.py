"""The only calls of Resolve's interface, whatever bridge they go over.

`Host` is what `core` works with. Failure is None or False in Resolve; here it is `HostRefused`.
Objects are never kept from one verb to the next: Resolve's go stale, ids do not.
"""

from __future__ import annotations

from fresco_davinci.host.host import Host

__all__ = ["Host"]
