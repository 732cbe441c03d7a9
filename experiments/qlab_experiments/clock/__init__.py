"""Atomic clocks."""
