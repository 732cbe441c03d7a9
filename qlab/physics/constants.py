"""Constants of the model cards, in SI units, frequencies in Hz."""

import math

TWO_PI = 2 * math.pi

# NV centre in diamond, ground state (Doherty, Phys. Rep. 528, 1 (2013); Felton, PRB 79, 075203 (2009))
D_NV = 2.870e9  # zero-field splitting, Hz
GAMMA_NV = 28.03e9  # electron gyromagnetic ratio, Hz/T
A_PARALLEL_14N = -2.14e6  # axial hyperfine coupling, Hz
A_PERPENDICULAR_14N = -2.70e6  # transverse hyperfine coupling, Hz
P_14N = -4.945e6  # nuclear quadrupole coupling, Hz
GAMMA_14N = 3.077e6  # nuclear gyromagnetic ratio, Hz/T
A_PARALLEL_15N = 3.03e6  # Hz
A_PERPENDICULAR_15N = 3.65e6  # Hz
GAMMA_15N = -4.316e6  # Hz/T
