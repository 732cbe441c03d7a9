"""Simulated instruments: they write lines and read detectors of their world, and know no physics."""
