"""The subject of a batch: what moves on its own, joined into whole objects by colour and place."""
