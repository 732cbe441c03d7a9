"""Protocols of the nitrogen-vacancy centre."""
