# %% [markdown]
# # From the free energy to the equations
#
# Where do the equations come from that `solve` solves? This notebook walks from the number of students that agree
# with the data to three equations for their overlaps, and on to the limits in which the answer is one number. Every
# formula below is an object of sympy that was computed by the step before; none was typed in. The steps are the
# functions of `perceptron_theory.derivation`, which share no code with the compiled equations. Tests compare the two.
#
# The setting: inputs in $N$ dimensions, $\alpha N$ of them kept. A teacher labels them and a probe, at the angle
# $\theta$ to the teacher, says which are kept. Inputs are flipped by their labels. In the plane of teacher and probe
# an example has the coordinates $A > 0$ along the teacher and $B$ beside it.

# %%
import numpy as np
import pandas as pd
import sympy as sp
from IPython.display import display
from scipy.special import ndtri

import perceptron_theory as pt
from perceptron_theory.derivation import (
    bayes_optimal,
    evidence,
    gap,
    large_alpha,
    max_margin,
    overlaps,
    perfect_metric,
    replicas,
    version_space,
)
from perceptron_theory.derivation.kept_nodes import Sharpness, kept_nodes, window_margins
from perceptron_theory.derivation.numerics import evaluate, number, root
from perceptron_theory.derivation.symbols import D, R, alpha, d, delta, f, gamma, k, kappa, q, r, t, theta, u, x

pd.set_option("display.precision", 8)

# %% [markdown]
# ## How many students agree with the data?
#
# All unit vectors that classify every kept example with a margin of at least $\kappa$ form the *version space*. Its
# volume $V$ shrinks exponentially in $N$, and the entropy $S = \langle\ln V\rangle / N$ does not depend on the draw
# of the data. The average of a logarithm is hard, that of a power is not: $\ln V = \lim_{n \to 0} (V^n - 1)/n$, and
# $V^n$ is the volume of $n$ students at once (Gardner and Derrida 1988; with a teacher Gyorgyi and Tishby 1990).
#
# The students enter through their overlaps: $q$ with each other, $R$ with the teacher, $d$ with the direction beside
# the teacher in the plane of teacher and probe. The version space is convex, so that all pairs have the same $q$. For
# two:

# %%
replicas.overlap_matrix(2)

# %% [markdown]
# The volume of $n$ students with these overlaps is the determinant to the power $N/2$. It is known for every $n$:
# students differ in $n - 1$ directions on which the matrix acts as $1 - q$.

# %%
replicas.overlap_determinant()

# %% [markdown]
# It is 1 at $n = 0$. So the limit of its logarithm over $2n$ is a derivative, the entropic part of $S$:

# %%
replicas.entropic_part()

# %% [markdown]
# One more example is classified by all $n$ with some probability. Given $A$ and $B$ the fields of two students share
# a noise $h$ and have one of their own, with these variances:

# %%
display(*replicas.field_noise())

# %% [markdown]
# Given $h$ the students are independent. Each classifies the example with the probability

# %%
replicas.classified()

# %% [markdown]
# and $n$ of them with its $n$-th power. Averaged over examples and $h$, in the limit $n \to 0$, and with the entropic
# part:

# %%
replicas.free_energy()

# %% [markdown]
# This is to be extremised in $q$, $R$ and $d$.
#
# ## Three equations
#
# In units of $\sqrt{1-q}$ the overlaps are $r$, $\delta$ and $t$, the margin is $k$, and $D = 1/(1-q)$ is

# %%
display(version_space.inverse_gap(), version_space.entropy())

# %% [markdown]
# All that is averaged depends on one field, $x = rA + \delta B + th - k$. Its derivative brings in $G =
# \varphi/\Phi$, the density of a normal variable over its distribution function. Along $r$ (with $\kappa$ fixed, so
# that $k$ changes with $D$):

# %%
version_space.gradient()[r].subs(version_space.FIELD, x)

# %% [markdown]
# The derivative along $t$ has $h$ under the average. A Gaussian factor can be integrated by parts, and $G' = -G\,(x +
# G)$. The derivative along $(r, \delta, t)$, plus that along $t$ by parts and over $t$: all but two terms cancel, and
# the three equations are

# %%
for equation in version_space.equations().values():
    display(equation.subs(version_space.FIELD, x))

# %% [markdown]
# ## Shrunk to one student
#
# The larger the margin asked for, the fewer students have it. At the largest margin one is left, $q \to 1$: the
# *max-margin student*. Then $t \to \infty$, and $r$, $\delta$ and $k$ grow with it. In units of $t$ the ratio $G$
# becomes

# %%
max_margin.limit_of_ratio()

# %% [markdown]
# the positive part: an example counts if it misses the margin. That is what a support vector is. Equation by equation
# the limit is

# %%
for equation in max_margin.equations().values():
    display(equation)

# %% [markdown]
# The average over $h$ can be done. The moments $M_p(u) = \langle (u - h)_+^p \rangle$ are

# %%
moments = {gap.GapMoment(p, u): gap.moment(p) for p in (1, 2)}
for name, value in moments.items():
    display(sp.Eq(name, value, evaluate=False))

# %% [markdown]
# There is a shorter way to the last two equations. The margin of a student is

# %%
max_margin.margin()

# %% [markdown]
# and its slope along $r$, if $k$ changes such that the first equation keeps holding, is proportional to

# %%
max_margin.stationary_margin(r)

# %% [markdown]
# So the second equation says that the margin is maximal. The student is what its name promises.
#
# ## The student that knows the rule
#
# The best student knows how the data were pruned. Then what was kept tells of the probe as well, and the unknown is a
# pair of directions: the probe, and the one beside it. Two pairs drawn from the posterior have a matrix of overlaps,
# and so have each of them and the truth (Nishimori): the truth is one replica more, and $n + 1$ take part.

# %%
display(bayes_optimal.overlap_matrix(2), bayes_optimal.entropic_part())

# %% [markdown]
# $Z$ is the evidence of an example, given the field that the posterior mean predicts, $w_m$ along the probe and $w_g$
# beside it; $C = 1 - Q$. It is an integral over the kept margins $m$ of

# %%
evidence.evidence_density()

# %% [markdown]
# The derivatives of $\langle Z \ln Z \rangle$ follow from the heat equation: Gaussians change with their covariance
# as with their second derivative. What remains are products of the slopes $Z_m$ and $Z_g$ of $Z$ along the two
# fields:

# %%
for equation in bayes_optimal.equations().values():
    display(equation)

# %% [markdown]
# ## All data: one equation
#
# Without pruning every direction beside the teacher is alike, $\delta = 0$, and $A$ is half of a normal variable. The
# pair $(A, h)$ can be turned so that one coordinate $y$ points along the field. The first two equations then average

# %%
display(*perfect_metric.unpruned_integrands())

# %% [markdown]
# over $y$. Set $R = q$. Then the second integrand exceeds the first, apart from a factor $\sqrt{1-q}$, by

# %%
perfect_metric.equal_overlaps()[1]

# %% [markdown]
# which is odd and integrates to zero. Both equations are one, so $R = q$ solves them: two students agree with each
# other as much as with the teacher.

# %%
scalar = perfect_metric.unpruned_overlap()
scalar

# %% [markdown]
# The student that knows the rule has nothing to know if nothing was pruned. Its equation is the same, over $1 - q$:

# %%
perfect_metric.unpruned_evidence()

# %% [markdown]
# For the max-margin student an integration by parts in $A$ leaves

# %%
component = perfect_metric.unpruned_r()
margin_equation = perfect_metric.unpruned_margin()
display(component, margin_equation)

# %% [markdown]
# Roots of these two, against `solve`, for five examples per parameter:

# %%
size = {alpha: 5.0}
overlap = root(scalar.lhs - scalar.rhs, q, (1e-6, 1 - 1e-6), size)
margin = root((margin_equation.lhs - margin_equation.rhs).subs(r, component.rhs), k, (0.1, 3.0), size)
best = {k: margin, delta: 0.0, r: number(component.rhs, size | {k: margin})}
derived = {
    "max-margin": number(overlaps.test_error(overlaps.max_margin()), best),
    "gibbs": number(overlaps.test_error(q), {q: overlap}),
    "bayes-point": number(overlaps.test_error(sp.sqrt(q)), {q: overlap}),
}
table = pd.DataFrame(
    {"derived": derived, "solve": {name: float(pt.solve(5.0, 1.0, student=name).test_error) for name in derived}}
)
table.round(8)

# %% [markdown]
# ## Many examples: one number
#
# In the end the error falls as a constant over $\alpha$. Only examples beside the teacher's boundary still teach.
# They lie there with a density $\rho_0$, and the margin $k$ of the max-margin student tends to the root of

# %%
large_alpha.margin_condition()

# %% [markdown]
# while $\alpha$ times its error tends to

# %%
large_alpha.max_margin_prefactor()

# %% [markdown]
# For the Gibbs student and for the mean of the version space the limits are, with $J = \int \varphi^2/\Phi$,

# %%
display(*large_alpha.version_space_prefactors())

# %% [markdown]
# Not to know the mean costs a factor $\sqrt 2$. The constants without pruning:

# %%
{name: round(value, 5) for name, value in large_alpha.constants().items()}

# %% [markdown]
# Pruning divides them by the density of the kept data at the boundary, relative to all data. If the hardest are kept,
# $|z| < \gamma$, by a probe at the angle $\theta$, and if at $\theta = 0$ the easiest are kept, these are

# %%
all_data = large_alpha.boundary_density("random")
hard, easy = large_alpha.boundary_density("hard") / all_data, large_alpha.gap_density("easy") / all_data
display(sp.simplify(hard), sp.simplify(easy))

# %% [markdown]
# The less is kept, the denser: with $f = \mathrm{erf}(\gamma/\sqrt 2)$ the first tends to

# %%
sp.limit(hard.subs(f, sp.erf(gamma / sp.sqrt(2))), gamma, 0)

# %% [markdown]
# So with an imperfect probe pruning gains a constant factor in the end, and no more. For $f = 0.3$ at 10 degrees,
# against `tail_prefactor`:

# %%
window = {f: 0.3, theta: np.deg2rad(10), gamma: float(ndtri(0.65))}
prefactor = large_alpha.constants()["max-margin"] / number(hard, window)
print(f"derived {prefactor:.8f}, package {float(pt.tail_prefactor(0.3, np.deg2rad(10))):.8f}")

# %% [markdown]
# ## One saddle point, checked
#
# A Gibbs student, two examples per parameter, the easiest 40 % at 20 degrees. Both sides of the derived equations at
# the overlaps that `solve` found, averaged over nodes in $A$, $B$ and $h$ that follow from the definition of the
# model:

# %%
angle, kept = np.deg2rad(20), 0.4
s = pt.solve(2.0, kept, angle, selection="easy", student="gibbs")
beside = (s.rho - s.R * np.cos(angle)) / np.sin(angle)
old = {q: float(s.q), R: float(s.R), d: float(beside), kappa: 0.0, alpha: 2.0}
unit = np.sqrt(1.0 - old[q])
new = {
    r: old[R] / unit,
    delta: old[d] / unit,
    t: np.sqrt(old[q] - old[R] ** 2 - old[d] ** 2) / unit,
    k: 0.0,
    D: unit**-2,
}

smooth = Sharpness.of(new[r], new[delta], angle)
easiest = window_margins(-float(ndtri(0.5 * kept)), np.inf, kept, angle, smooth)
nodes = kept_nodes(easiest, angle, smooth, new[t])
equations = version_space.equations()
values = new | {alpha: 2.0}
sides = {
    side: evaluate({name: getattr(e, side) for name, e in equations.items()}, values, nodes) for side in ("lhs", "rhs")
}
pd.DataFrame(sides).round(8)

# %% [markdown]
# They agree to all digits shown. The entropy, from the replicated free energy in $q$, $R$ and $d$, and from the
# package:

# %%
entropy = evaluate({"S": replicas.free_energy()}, old, nodes)["S"]
print(f"derived {entropy:.8f}, package {float(s.entropy):.8f}")

# %% [markdown]
# The tests do this at 100 random points for every student, away from saddle points, where every term counts.
#
# **Sources.** E. Gardner and B. Derrida, J. Phys. A 21, 271 (1988). G. Gyorgyi and N. Tishby, in *Neural Networks and
# Spin Glasses* (World Scientific, 1990). M. Opper, W. Kinzel, J. Kleinz and R. Nehl, J. Phys. A 23, L581 (1990). M.
# Opper and D. Haussler, Phys. Rev. Lett. 66, 2677 (1991). B. Aubin et al., NeurIPS 2018,
# [arXiv:1806.05451](https://arxiv.org/abs/1806.05451). B. Sorscher et al., NeurIPS 2022,
# [arXiv:2206.14486](https://arxiv.org/abs/2206.14486).
