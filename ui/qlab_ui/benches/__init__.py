"""The bench editor: instruments with their drivers, addresses, roles, limits and safe values."""
