"""Worlds: the hidden truth, noise, drift and clock that the simulated instruments of a bench share."""
