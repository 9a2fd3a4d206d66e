# %% [markdown]
# # Theory against simulation
#
# The theory of Sorscher et al. (NeurIPS 2022, [arXiv:2206.14486](https://arxiv.org/abs/2206.14486), "the paper") is
# exact for infinitely many inputs $N$. Here it is confronted with finite perceptrons. Each trial draws a teacher, a
# probe and data, prunes the data, trains a student exactly, and measures it. None of this knows an equation of the
# theory.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import perceptron_theory as pt
from perceptron_theory.plotting import comparison_figure
from perceptron_theory.plotting.style import number_ticks

# %matplotlib inline
plt.style.use("perceptron_theory.plotting.perceptron_theory")

# %% [markdown]
# ## One point
#
# Three examples per input are kept, the hardest 30 % by a probe at 10° to the teacher.

# %%
problem = {"alpha_prune": 3.0, "f": 0.3, "theta": np.deg2rad(10), "selection": "hard"}
theory = pt.solve(**problem)
simulation = pt.simulate(N=200, **problem, trials=100, seed=0)

observables = ["test_error", "R", "rho", "kappa"]
table = pd.DataFrame(
    {
        "theory": [getattr(theory, name) for name in observables],
        "simulation": simulation.mean,
        "standard error": simulation.standard_error,
    },
    index=observables,
)
table["difference / s.e."] = (table["simulation"] - table["theory"]) / table["standard error"]
table.round({"theory": 4, "simulation": 4, "standard error": 4, "difference / s.e.": 1})

# %% [markdown]
# `R` and `rho` are the cosines of the student with teacher and probe, `kappa` is its margin. Neither side is taken on
# trust: the theory proves its solution by the residual of its equations, every student by its duality gap, which
# bounds how far it is from the largest margin.

# %%
print(f"the equations hold to 1e-10: {theory.residual < 1e-10}")
print(f"all {simulation.trials} students are exact to 1e-9: {simulation.gap.max() < 1e-9}")

# %% [markdown]
# ## A curve
#
# The test error against the number of examples kept, for three fractions $f$. Lines are theory. Dots are means over 50
# students with $N = 100$ inputs, their bars two standard errors, often smaller than the dot.

# %%
fractions = [1.0, 0.5, 0.2]
sizes = np.geomspace(0.5, 8.0, 7)
theta = problem["theta"]
curves = pt.learning_curve(np.geomspace(0.4, 10.0, 60), fractions, theta)

figure, axes = plt.subplots(layout="constrained")
for f, colour in zip(fractions, ["0.55", "#21918c", "#440154"], strict=True):
    dots = [pt.simulate(100, alpha_prune, f, theta, trials=50) for alpha_prune in sizes]
    axes.loglog(curves.alpha_prune, curves.test_error.sel(f=f), color=colour, label=f"f = {f:g}")
    axes.errorbar(
        [dot.alpha_prune for dot in dots],
        [dot.mean.test_error for dot in dots],
        [2.0 * dot.standard_error.test_error for dot in dots],
        fmt="o",
        ms=4.5,
        color=colour,
    )
axes.set_xlabel(r"examples kept per parameter, $\alpha_\mathrm{prune}$")
axes.set_ylabel(r"test error, $\varepsilon$")
number_ticks(axes)
axes.legend()
plt.show()

# %% [markdown]
# ## Towards infinite size
#
# A finite perceptron differs from the theory by chance, and because it is finite. Here, at one example per parameter,
# 1,000 trials make chance small enough to see the other. `compare` puts a line in $1/N$ through the differences,
# weighted with their standard errors. Its value at $1/N = 0$ is the difference at infinite size, which is 0 if the
# theory is right.

# %%
many = [pt.simulate(N, alpha_prune=1.0, f=0.3, theta=theta, trials=1000) for N in (50, 100, 200)]
point = pt.compare(pt.solve, many).data.sel(observable="R").squeeze()
difference = point["mean"] - point.theory

figure, axes = plt.subplots(figsize=(7, 3.4), layout="constrained")
axes.axhline(0.0, color="0.15")
axes.errorbar(1 / point.N, difference, 2 * point.standard_error, fmt="o", color="#440154", label="N = 50, 100, 200")
axes.errorbar(0, point.difference, 2 * point.difference_error, fmt="o", ms=9, mfc="none", color="#c1272d")
line = np.polyfit(1 / point.N, difference, 1, w=1 / point.standard_error)
axes.plot([0, 0.02], np.polyval(line, [0, 0.02]), color="#c1272d", lw=1.0, label="line, and its end at 1/N = 0")
axes.set_xticks([0, 1 / 200, 1 / 100, 1 / 50], ["0", "1/200", "1/100", "1/50"])
axes.set_xlabel("1/N")
axes.set_ylabel("R, simulation - theory")
axes.legend(loc="upper left")
plt.show()

# %%
for N, size in zip(point.N.values, difference / point.standard_error, strict=True):
    print(f"N = {N:<12} R differs by {float(size):+.1f} standard errors")
print(f"extrapolated     R differs by {float(point.deviation):+.1f} standard errors")

# %% [markdown]
# ## Several points
#
# The same for four points, with 100 students at each of the sizes $N$ = 100, 200, 400. Above are the test errors, in
# the middle what they are relative to theory, and below the extrapolated differences of all that is measured.

# %%
simulations = [
    pt.simulate(N, alpha_prune, f=0.3, theta=theta, trials=100)
    for alpha_prune in (0.5, 1.0, 2.0, 4.0)
    for N in (100, 200, 400)
]
comparison = pt.compare(pt.solve, simulations)
curve = pt.learning_curve(np.geomspace(0.4, 5.0, 60), f=0.3, theta=theta)
comparison_figure(comparison, curve, "100 students at each point and size, ± 2 standard errors")

# %%
deviation = comparison.deviation.swap_dims(cell="alpha_prune").drop_vars(["f", "theta", "selection"])
deviation.to_pandas().round(1)

# %%
chance = math.erfc(comparison.worst / math.sqrt(2))
n = comparison.deviation.size
print(f"the largest of {n} numbers is at {comparison.worst:.1f} standard errors or beyond")
print(f"with a probability of at most {100 * (1 - (1 - chance) ** n):.0f} %, if the theory is right")
assert comparison.worst < 4.0

# %% [markdown]
# ## Another student
#
# So far every student had the largest margin. A *Gibbs* student is any that classifies all kept examples correctly, all
# such students being equally likely. The theory has another set of equations for it; the simulation draws one from the
# version space of each trial by a random walk. Here the easiest 40 % are kept, by a probe at 20°.

# %%
where = {"alpha_prune": 2.0, "f": 0.4, "theta": np.deg2rad(20), "selection": "easy"}
rows = {}
for name, student in (("max-margin", pt.MaxMargin()), ("gibbs", pt.Gibbs())):
    trained = pt.simulate(20, **where, student=student, trials=100)
    rows[name] = {
        "theory": pt.solve(**where, student=name).test_error,
        "simulation, N = 20": trained.mean.test_error,
        "standard error": trained.standard_error.test_error,
    }
pd.DataFrame(rows).T.rename_axis("test error").round(4)

# %% [markdown]
# On these data a student taken at random from all that fit makes nearly twice the errors of the one with the largest
# margin. Even at $N = 20$ theory and simulation agree on that.
