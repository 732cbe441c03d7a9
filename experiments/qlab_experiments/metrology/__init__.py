"""Protocols that ask for a physics, not for a platform."""
