"""The same systems, their evolution solved by QuTiP: what a bench plays with `--solver qutip`, and what tests compare.

Averages over noise from shot to shot are shared with the closed forms; they are exact and no solver's business.
"""
