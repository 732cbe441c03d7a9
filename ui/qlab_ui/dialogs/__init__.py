"""Dialogs: none of them is modal."""
