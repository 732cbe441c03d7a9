"""Instruments that write files in place of signals."""
