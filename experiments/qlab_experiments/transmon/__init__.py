"""Superconducting qubits."""
