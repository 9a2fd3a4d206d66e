# %% [markdown]
# # Calibrating measured runs
#
# The theory counts examples per parameter and knows the metric by one angle. Neither is known of a network. Given
# test errors of a few small pruning runs, both can be fitted, and the theory then says what runs on larger pools
# would give: [Sorscher et al. 2022](https://arxiv.org/abs/2206.14486), turned round. How far that carries is measured
# here as well.
#
# The runs are this project's own: logistic regression on MNIST, odd against even digits; images ranked by a probe
# trained on 5,000 others; five seeds.

# %%
from importlib.resources import files

import numpy as np
import pandas as pd

import perceptron_theory as pt
from perceptron_theory.plotting.calibrated_curves import calibrated_curves
from perceptron_theory.plotting.calibration import calibration_figure

# %matplotlib inline
folder = files("perceptron_theory.measured_runs") / "data"
everything = pd.read_csv(folder / "mnist_runs.csv")


def of(student):
    return everything[(everything["student"] == student) & everything["probe"].isin(["late", "any"])]


runs = of("logistic")
small = runs[runs["n_total"] <= 1500]
columns = ["n_total", "n_kept", "selection", "test_error", "seed", "n_test"]
print(f"{len(small)} of {len(runs)} runs have pools of at most 1,500 images")
small[columns].sample(6, random_state=0)

# %% [markdown]
# These columns are all that is needed; `pt.read_runs` reads them from .csv or .parquet. `n_test` sets the binomial
# error and may be left out.
#
# ## Calibrate
#
# Fitted are $N$, $\theta$, an error floor, and an exponent:
#
# $$\alpha_\mathrm{prune} = (n_\mathrm{kept} / N)^\mathrm{exponent}, \qquad
# \mathrm{error} = \mathrm{floor} + 2\,(\mathrm{chance} - \mathrm{floor})\;
# \varepsilon(\alpha_\mathrm{prune}, f, \theta).$$
#
# With exponent 1 and floor 0 that is the theory itself.

# %%
free = ["N", "theta", "floor", "exponent"]
found = pt.calibrate(small, chance=0.5, free=free)
print(f"theta {np.rad2deg(found.theta):.0f} degrees, misfit {100 * found.misfit:.0f} %")
found.parameters.round(2)

# %% [markdown]
# $N$ is the number of examples that one unit of $\alpha$ stands for: the size of the perceptron that learns as fast,
# not a count of weights. Here the exponent is far below 1, the theory is stretched over more sizes than it has by
# itself, and $N$ alone means little: the two are estimated together, at a correlation above 0.9. $\theta$ is the
# angle between the probe and what there is to learn. The misfit is what the theory misses of a run beyond its noise;
# it widens the ranges of runs below.

# %%
found.correlations.round(2)

# %% [markdown]
# Runs without pruning know nothing of the metric: there is no angle to be had of them. The calibration says so, and
# which run would help most. (With the floor and the exponent of above: three sizes tell no more than one number.)

# %%
unpruned = pt.calibrate(small[small["f"] == 1.0], free=["N", "theta"], fixed={"floor": 0.07, "exponent": 0.32})
print(unpruned.identifiability)
unpruned.parameters.round(2)

# %% [markdown]
# ## Predict
#
# Pools 2 to 37 times as large as any that were fitted. `low` and `high` bound the expected error, `run_low` and
# `run_high` one such run, at 95 %.

# %%
larger = runs[(runs["n_total"] > 1500) & (runs["f"] == 0.2) & runs["selection"].isin(["hard", "random"])]
measured = larger.groupby(["selection", "n_total"])["test_error"].mean()
told = found.predict([3600, 9000, 22000, 55000], 0.2, ["hard", "random"]).astype({"n_total": int, "n_kept": int})
told = told.set_index(["selection", "n_total"])
shown = ["n_kept", "test_error", "low", "high", "run_low", "run_high"]
told[shown].assign(measured=measured).round(3)

# %%
calibration_figure(found, calibrated_curves(found))

# %% [markdown]
# ## Where hard examples begin to pay
#
# The central statement of the theory: with few examples keep random or easy ones, with many keep hard ones. Of the
# runs that were fitted at this fraction none lies beyond the crossing.

# %%
crossing = found.crossing(f=0.2, sizes=(50, 11000))
print(f"predicted: {crossing.n_kept:.0f} kept examples, {crossing.low:.0f} to {crossing.high:.0f}")
print(f"with the misfit: {crossing.run_low:.0f} to {crossing.run_high:.0f}")
fifth = runs[(runs["f"] == 0.2) & runs["selection"].isin(["hard", "random"])]
fifth.pivot_table(index="n_kept", columns="selection", values="test_error").round(3)

# %% [markdown]
# Measured curves cross at about 700. The misfit makes the answer vaguer, not wrong.
#
# ## What to keep
#
# The best pruning for each number of examples that can be trained on, out of 55,000; and a recommendation for one
# budget. `low` and `high` are where a run falls, `random_error` is what a random subset of that size is expected to
# give, `probability` that of doing better than it. Below 0.8 a random subset is advised.

# %%
found.frontier([500, 1500, 5000, 12000], pool=55000).round(3)

# %%
print(found.recommend(pool=55000, budget=5000))

# %% [markdown]
# The other way round: an error to reach with as few examples as possible.

# %%
print(found.recommend(pool=55000, error=0.12))

# %% [markdown]
# ## Does it predict better than a power law?
#
# `compare_models` fits theories and laws without theory to the small pools and asks them for the large ones; numbers
# are root mean squares of ln(predicted / measured).

# %%
compared = pt.compare_models(runs, chance=0.5, largest=1500)
print(compared.verdict)
compared.table[["fitted", "held_out", "random", "hard", "easy"]].round(3)

# %% [markdown]
# The same for a network with one hidden layer on all ten digits:

# %%
network = pt.compare_models(of("network"), chance=0.9, largest=1500)
print(network.verdict)
network.table[["fitted", "held_out", "random", "hard", "easy"]].round(3)

# %% [markdown]
# Here no theory does well, and no law much better. Easy images teach the network less than the theory expects, and
# small pools tell too little of the floor: the stretched theory puts it at 4 %, the network comes down to 2 %. What
# the theory says of the order of the rules may still hold, what it says of errors on large pools does not.
#
# ## Advice, checked
#
# For five budgets the project has trained what a calibration on pools of at most 9,000 images found best, and a
# random subset of the same size; these runs were made after the advice was given.

# %%
advice = pd.read_csv(folder / "advice_runs.csv")
keys = ["student", "budget", "choice"]
checked = advice.groupby(keys).agg(
    selection=("selection", "first"),
    advised=("advised", "first"),
    expected=("expected", "first"),
    low=("run_low", "first"),
    high=("run_high", "first"),
    measured=("test_error", "mean"),
    error=("test_error", "sem"),
)
checked.round(4)

# %%
inside = (checked["measured"] > checked["low"]) & (checked["measured"] < checked["high"])
errors = checked["measured"].unstack("choice")
better = (errors["best"] < errors["random"]).rename("pruning was better")
pruned = checked["advised"].unstack("choice")["best"].rename("pruning was advised")
print(f"{inside.sum()} of {len(inside)} measured errors in the expected range")
pd.concat([pruned, better], axis=1)

# %% [markdown]
# For logistic regression the advice to prune holds, with a smaller gain than expected, and the one time that it was
# to take a random subset, pruning was slightly better. For the network it is wrong at both ends: 500 hard images are
# no better than random ones, and from 5,000 on pruning gains more than the theory, with its high floor, dares to say.
# The pictures of all this are `calibrated_runs`, `held_out_models` and `advice_checked` in `figures`.
