"""Pictures and sequences of them: headers, kinds, names with numbers."""
