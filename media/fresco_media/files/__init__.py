"""Files, disks and texts of strangers."""
