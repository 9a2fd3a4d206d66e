# %% [markdown]
# # First frontier
#
# You have a data set, a score for every example, and a budget. How many examples should be kept, which ones, and what
# error is to be expected?
#
# Sorscher et al. (NeurIPS 2022, [arXiv:2206.14486](https://arxiv.org/abs/2206.14486), "the paper") answered this in a
# model. A *teacher* labels the data. A *probe*, at an angle $\theta$ to the teacher, scores them: an example is hard if
# it lies close to the probe's decision boundary. A *student* is trained on what is kept, to the largest margin.
# Here the theory is asked about real scores of 1,597 images of digits, which come with the package.
#
# The answers are exact in the model. What they say of other learners, deep networks for one, is an analogy.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import perceptron_theory as pt
from perceptron_theory.plotting import frontier_figure
from perceptron_theory.plotting.style import number_ticks

# %matplotlib inline
plt.style.use("perceptron_theory.plotting.perceptron_theory")

# %% [markdown]
# ## Scores become margins
#
# The task: is the digit odd or even? The probe is a linear classifier that was trained on 200 other images. The score
# of an image is its signed margin, negative where the probe is wrong.

# %%
scores = pt.digits_scores()
print(scores.source)
print(scores.ties)
print(f"higher is {scores.higher_is}; {100 * np.mean(scores.values < 0):.1f} % are negative")

# %% [markdown]
# In the model a probe at the angle $\theta$ is wrong on a fraction $\theta/\pi$ of the data, so its errors tell the
# angle. They must be counted on images that the probe has not seen, as these: on its own it makes fewer.

# %%
margins = scores.margins(by="value")
theta = scores.theta_from_errors()
print(f"theta = {np.rad2deg(theta):.1f} degrees")

# %% [markdown]
# Hard examples are those with the smallest margins, whatever their sign: the labels are not used to choose.

# %%
distance = np.abs(scores.values)
hardest = distance < np.quantile(distance, 0.2)
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.hist(
    [scores.values[hardest], scores.values[~hardest]],
    bins=60,
    stacked=True,
    color=["#c1272d", "0.75"],
    label=["the hardest 20 %", "the others"],
)
axes.set_xlabel("signed margin (negative: the probe is wrong)")
axes.set_ylabel("images")
axes.legend()
plt.show()

# %% [markdown]
# ## The frontier
#
# The theory counts examples per parameter. An image has 64 pixels, so a linear student has 64 parameters, and the pool
# holds 24 images for each. For each number of images kept, `pareto_frontier` finds the fraction $f$ with the smallest
# test error. It must know how large the pool is, `alpha_tot_max`: without a ceiling one would score ever more images to
# keep ever harder ones.

# %%
parameters = 64
pool = scores.n // parameters
sizes = np.geomspace(0.5, pool, 40)
frontier = pt.pareto_frontier(sizes, theta, alpha_tot_max=pool, margins=margins)
curves = pt.learning_curve(sizes, [0.1, 0.2, 0.3, 0.5, 0.7], theta, margins=margins)
frontier_figure(frontier, curves, f"{scores.source}, {scores.n:,} images")

# %% [markdown]
# Each coloured line keeps the hardest fraction $f$, and ends where the pool does. The dashed line is the best of all
# $f$. On the left it runs along the random subset: with so few images it does not pay to look for hard ones. On the
# right both meet where the whole pool is kept. In between the hardest images give a much smaller error than random
# ones.

# %% [markdown]
# ## Reading it off
#
# The same question at a few budgets, for the hardest and for the easiest examples.

# %%
budget = np.array([50, 100, 200, 400, 800, 1500, 2000])
alpha = budget / parameters
hard = pt.pareto_frontier(alpha, theta, alpha_tot_max=pool, margins=margins)
easy = pt.pareto_frontier(alpha, theta, alpha_tot_max=pool, margins=margins, selection="easy")
pd.DataFrame(
    {
        "hardest f": hard.f.round(3),
        "of images": (parameters * hard.alpha_tot).round(),
        "f held by": hard.active,
        "error, hard": hard.test_error.round(4),
        "error, easy": easy.test_error.round(4),
        "error, random": hard.test_error_random.round(4),
        "status": [pt.Status(status).name.lower() for status in hard.status.values],
    },
    index=pd.Index(budget, name="images kept"),
)

# %%
everything = pt.solve(pool, f=1.0, theta=theta, margins=margins)
print(f"all {pool} images per parameter: error {everything.test_error:.4f}")
for status in (pt.Status.CONVERGED, pt.Status.INFEASIBLE):
    print(f"{status.name.lower()}: {status.sentence.split(': ')[-1]}")

# %% [markdown]
# A row, for example 400 images: keep the hardest 22.3 % of the whole pool. The expected error is 0.0275. It would be
# 0.0739 with 400 images at random, and 0.0178 with all.
#
# "f held by" (`active` in the dataset) says what keeps $f$ from being better still:
#
# - `alpha_tot_max`: the pool. With more images to choose from, the error would be smaller.
# - `none`: nothing. With 200 images the best are the hardest 27.4 % of 730. Even harder ones, chosen from the whole
#   pool, would give a larger error: the probe does not know the boundary well enough.
# - `infeasible`: the constraint cannot be met, as 2,000 images are more than there are. The numbers are NaN.
#
# `status` says whether a number can be trusted. It is `converged` only if the equations hold and a finer quadrature
# agrees; other points are NaN, never filled in.
#
# With 50 or 100 images the easiest are the best choice in this model, whose labels are without noise. A real learner
# need not agree.
#
# Which images are they? The 400 with the smallest distance to the boundary of the probe:

# %%
keep = scores.ids[np.sort(np.argsort(distance)[:400])]
print("images", *keep[:10], "...", *keep[-3:])

# %% [markdown]
# ## If the metric were better, or worse
#
# Signed margins fix $\theta$. To vary it, use only the order of the scores, `by="rank"`: the model then supplies
# margins and labels. That is also the way for scores that are no margins.

# %%
by_rank = scores.margins(by="rank")
angles = np.deg2rad([0.0, 5.0, 10.0, 20.0, 40.0])
frontiers = pt.pareto_frontier(sizes, angles, alpha_tot_max=pool, margins=by_rank)

figure, axes = plt.subplots(layout="constrained")
axes.loglog(sizes, frontiers.test_error_random.isel(theta=0), color="0.55", lw=2.2, label="random subset")
for shade, angle in zip(np.linspace(0.85, 0.0, angles.size), angles, strict=True):
    error = frontiers.test_error.sel(theta=angle)
    axes.loglog(sizes, error, color=plt.cm.plasma(shade), label=f"θ = {np.rad2deg(angle):.0f}°")
axes.set_xlabel(r"examples kept per parameter, $\alpha_\mathrm{prune}$")
axes.set_ylabel(r"test error, $\varepsilon$")
number_ticks(axes)
axes.legend()
plt.show()

# %% [markdown]
# The smaller the angle, the fewer images do. How good must a metric be for a fraction $f$ of this pool to do as well as
# all of it, up to 10 % of the error?

# %%
required = pt.required_theta(pool, [0.1, 0.2, 0.3, 0.5, 0.7], reference="all", within=0.1, margins=by_rank)
pd.DataFrame(
    {
        "largest angle, degrees": np.rad2deg(required.theta_required),
        "errors of the probe, %": 100 * required.theta_required / np.pi,
    },
    index=pd.Index(required.f, name="f"),
).round(1)

# %% [markdown]
# With the probe above, whose angle is 16.1°, half of the images would do, and 30 % would not.
#
# ## Your own scores
#
# One file with one score per example, `.npy`, `.npz` or `.csv`, and what a high score means, which is never guessed:
#
# ```python
# scores = pt.read_scores("el2n.npz", key="el2n", higher_is="harder")
# frontier = pt.pareto_frontier(sizes, theta, alpha_tot_max=pool, margins=scores.margins())
# ```
#
# or, for a table and a picture without a line of Python,
#
# ```
# perceptron-theory frontier el2n.npz --key el2n --higher-is harder --theta-deg 10 --alpha-tot-max 100
# ```
#
# Two numbers must come from you: $\theta$, how far the metric is from the truth, and the number of parameters, in whose
# units examples are counted. For a linear probe and student the error rate of the probe and the number of inputs say
# both. For a deep network neither is known: try several values, and see what depends on them.
