"""Instruments of Zurich Instruments."""
