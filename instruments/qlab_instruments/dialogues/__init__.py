"""Simulated dialogues: what a device of a family answers, written as its programming manual writes the commands."""
