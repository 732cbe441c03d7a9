"""Instruments of Red Pitaya."""
