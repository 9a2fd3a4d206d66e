"""Letters of the theory, with what is assumed of them."""

import sympy as sp

#: Examples kept per parameter, fraction kept, angle between probe and teacher.
alpha, f, theta = sp.symbols("alpha f theta", positive=True)
#: Number of replicas.
n = sp.Symbol("n", nonnegative=True)

#: Overlap of two students; their mean projection on the teacher and beside it, in the teacher-probe plane.
q, R = sp.symbols("q R", positive=True)
d = sp.Symbol("d", real=True)
#: Margin of a unit student.
kappa = sp.Symbol("kappa", nonnegative=True)

#: R, d, margin and common noise in units of what is left over, and D = 1 / (1 - q).
r, t, D = sp.symbols("r t D", positive=True)
delta, k = sp.symbols("delta k", real=True)

#: An example: along the teacher, beside it in the plane, and in all other directions of a student.
A, B, h = sp.symbols("A B h", real=True)
#: Field of an example, where it does not matter what it is made of.
x = sp.Symbol("x", real=True)
#: An example along the probe and beside it.
m, g = sp.symbols("m g", real=True)
#: Smallest |z| that is kept, or largest.
gamma = sp.Symbol("gamma", positive=True)
#: Gap of an example before noise, k - r A - delta B.
u = sp.Symbol("u", real=True)

#: Field of an example that a posterior mean predicts, along probe and beside it; its evidence and gradient.
w_m, w_g = sp.symbols("w_m w_g", real=True)
Z = sp.Symbol("Z", positive=True)
Z_m, Z_g = sp.symbols("Z_m Z_g", real=True)

#: What an average is over; everything else is a parameter.
RANDOM = frozenset({A, B, h, x, w_m, w_g, Z, Z_m, Z_g})
