"""What went wrong: caught, told, shown, and put right."""
