"""Protocols that ask for no particular physics."""
