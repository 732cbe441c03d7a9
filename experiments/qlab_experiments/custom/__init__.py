"""Protocols on a physics of one's own."""
