"""Photons."""
