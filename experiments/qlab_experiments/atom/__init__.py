"""Cold atoms."""
