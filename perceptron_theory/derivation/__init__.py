"""From the replicated free energy to the saddle-point equations and their limits, with sympy.

A second derivation: every step is an operation on symbols, nothing is taken from the rest of the package. The
results are expressions that a notebook shows and that `numerics` evaluates, on the nodes of `kept_nodes` and
`evidence_nodes`; tests compare them with the compiled kernels.

In the order of the argument: `replicas` (free energy), `version_space` (V1)-(V3), `max_margin` (M1)-(M3),
`bayes_optimal` (B1), `overlaps` (test errors), `perfect_metric` (theta = 0 and unpruned data), `large_alpha`
(prefactors of the final power laws).
"""
