# %% [markdown]
# # The figures of the paper
#
# Sorscher et al. (NeurIPS 2022, [arXiv:2206.14486](https://arxiv.org/abs/2206.14486)) asked what pruning does to the
# error of a perceptron. Their theory figures are made again by `perceptron-theory figures`, with a certificate on every
# point of every line and simulated students on top. This notebook makes some of them here, with 8 trials for each
# dot, and shows the others as they lie in the folder `figures`, with 100.
#
# Sizes and fractions are ours where the paper's are not known to us. Each module in `perceptron_theory.figures` says
# what differs.

# %%
import matplotlib.pyplot as plt
import numpy as np

import perceptron_theory as pt
from perceptron_theory.figures.gallery import make

# %matplotlib inline
plt.style.use("perceptron_theory.plotting.perceptron_theory")

# %% [markdown]
# ## What is kept
#
# A probe at the angle $\theta$ to the teacher gives every example a signed margin $m$. Hard examples have the smallest
# $|m|$. The mass at $m < 0$ is what the probe gets wrong, $\theta/\pi$.
#
# ![Margins](../figures/fig_1b.png)
#
# %% [markdown]
# ## With a perfect metric
#
# The probe is the teacher itself. Keep the hardest fraction $f$ of ever larger pools: below two examples per parameter
# that hurts, above it the error falls to that of the whole pool. The dashed frontier takes the best $f$ at each size.
# It needs a floor: with $f \to 0$ the error beyond $\alpha_\mathrm{prune} = 2$ would be zero. Open dots lie so close to
# this wall that finite students round it.

# %%
perfect = make("fig_1a", fast=True)
perfect.figure

# %% [markdown]
# Everything drawn is in labelled datasets, with the status of each point.

# %%
curves = perfect.numbers["curves"]
print(curves.test_error.sel(alpha_prune=[1.0, 3.0], method="nearest").to_pandas().round(4))
print("failed points:", perfect.numbers.attrs["failures"])

# %% [markdown]
# Hard or easy? It depends on how much there is. The line is the exact boundary; the circles are simulated.
#
# ![Error of hard minus easy](../figures/fig_1c.png)

# %%
boundary = pt.hard_easy_boundary([0.05, 0.1, 0.2, 0.5])
print(boundary.alpha_tot.to_pandas().round(2))

# %% [markdown]
# ![Best fraction](../figures/fig_1e.png)
#
# ## Information
#
# The paper explains the gain by information: without pruning an example tells ever less, as $1/\alpha$; a hard one goes
# on telling. Its closed form puts $q = R$, which holds only without pruning. At the true saddle the gain is larger.
#
# ![Closed form](../figures/fig_1f.png)

# %%
for f in (1.0, 0.2):
    gain = pt.information_gain(2.0, f)
    closed = pt.paper_information_gain(gain.R, f)
    print(f"f = {f:g}: true gain {gain.gain:.4f} nats, closed form {closed:.4f};  R = {gain.R:.4f}, q = {gain.q:.4f}")

# %% [markdown]
# ## With an imperfect metric
#
# The hard examples of a probe that is off by $\theta$ say little about the probe's direction: the student leans to the
# other side of the teacher. Easy ones draw it to the probe.

#
# ![Teacher, probe and student](../figures/fig_2a.png)
#
# At each size there is now a best fraction, and the frontier ends in a power law.

# %%
imperfect = make("fig_2bcd", fast=True)
imperfect.figure

# %%
frontier = imperfect.numbers["frontier"].test_error
slope = frontier.copy(data=np.gradient(np.log(frontier), np.log(frontier.alpha_prune), axis=0))
degrees = np.rad2deg(frontier.theta.values)
for angle, steepest, last in zip(degrees, slope.min("alpha_prune").values, slope[-1].values, strict=True):
    print(f"theta = {angle:4.1f} degrees: steepest local exponent {steepest:6.2f}, at the end {last:5.2f}")

# %% [markdown]
# The same as the pool grows, and with trained probes:
#
# ![The pool grows](../figures/fig_3.png)
#
# ![Trained probes](../figures/fig_10.png)
#
# ## The optimal policy
#
# Need it be the hardest? Whichever margins are best, under the same floor on $f$, are far better below two examples
# per parameter: there the optimum is a window of easy examples, which slides to the hard ones.

# %%
policy = make("fig_9", fast=True)
policy.figure

# %%
windows = policy.numbers["policy"].windows.sel(window=0)
print(windows.sel(alpha_prune=[0.5, 1.0, 1.5, 2.0, 2.5], method="nearest").to_pandas().round(3))
