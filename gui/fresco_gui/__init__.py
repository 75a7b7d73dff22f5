"""The desktop app: try looks, compare, export. Knows the daemon by `fresco_client` only."""
