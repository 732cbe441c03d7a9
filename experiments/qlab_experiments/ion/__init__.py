"""Trapped ions."""
