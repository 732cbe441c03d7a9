"""Instruments of Thorlabs."""
