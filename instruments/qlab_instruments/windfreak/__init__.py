"""Instruments of Windfreak Technologies."""
