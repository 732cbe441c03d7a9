"""Instruments of Swabian Instruments."""
