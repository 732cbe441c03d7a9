"""Drivers, real and simulated, and the worlds behind the simulated ones."""
