"""What a person has chosen for the app itself, and its keys."""
