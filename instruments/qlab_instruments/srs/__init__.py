"""Instruments of Stanford Research Systems."""
