"""Instruments of Rohde & Schwarz."""
