"""Results: where they go, how they are encoded, and reading them back."""
