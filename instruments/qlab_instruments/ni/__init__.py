"""Instruments of National Instruments."""
