"""Instruments of SpinCore."""
