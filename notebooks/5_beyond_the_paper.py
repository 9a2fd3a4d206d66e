# %% [markdown]
# # Beyond the paper: losses, noise, other rules
#
# The student of Sorscher et al. (arXiv:2206.14486) has the largest margin on noiseless labels. Networks minimise a
# regularised loss on labels that are partly wrong. The theory of such students on pruned data has four scalar
# equations, and the literature after the paper turns on them. All answers are exact for large inputs (the problems are
# convex).

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import perceptron_theory as pt
from perceptron_theory import presets
from perceptron_theory.plotting.style import number_ticks

# %matplotlib inline
plt.style.use("perceptron_theory.plotting.perceptron_theory")
theta = np.deg2rad(10)

# %% [markdown]
# ## A loss, a penalty, noisy labels
#
# Three examples per parameter, the hardest 30 % of the pool, 10 % of the labels flipped. Theory and finite students
# take the same description.

# %%
loss, labels = pt.ConvexLoss("logistic", lam=0.1), pt.Labels(flip=0.1)
s = pt.solve(3.0, 0.3, theta, student=loss, labels=labels)
sim = pt.simulate(200, 3.0, 0.3, theta, student=loss, labels=labels, trials=100)
names = ["test_error", "R", "train_error", "train_loss", "norm"]
table = pd.DataFrame(
    {
        "theory": [float(getattr(s, name)) for name in names],
        "N = 200": [getattr(sim, name).mean() for name in names],
        "s.e.": [getattr(sim, name).std(ddof=1) / 10 for name in names],
    },
    index=names,
)
table.round(3)

# %% [markdown]
# ## Which penalty?
#
# `lam="optimal"` finds the penalty with the smallest test error. `lam=0` is not a small number but a solution of its
# own: the largest margin where the kept data can be separated, the minimum of the loss where they cannot.

# %%
threshold = pt.separability_threshold(0.3, theta, labels=labels)
print(f"up to {threshold:.3f} kept examples per parameter can be fitted")
sizes = np.geomspace(0.5, 30.0, 40)
figure, axes = plt.subplots(layout="constrained")
for lam, style in ((0.0, "-"), (0.01, "--"), (1.0, "-."), ("optimal", ":")):
    curve = pt.solve(sizes, 0.3, theta, student=pt.ConvexLoss("logistic", lam), labels=labels)
    axes.loglog(sizes, curve.test_error, style, color="k" if lam == "optimal" else None, label=f"lam = {lam}")
axes.axvline(threshold, color="0.6", lw=1.0)
axes.set_xlabel(r"examples kept per parameter, $\alpha_\mathrm{prune}$")
axes.set_ylabel(r"test error, $\varepsilon$")
number_ticks(axes)
axes.legend()
plt.show()

# %% [markdown]
# The vertical line is where the kept examples cease to be separable. Without penalty the error has a kink there; the
# best penalty takes it away, and is never worse.
#
# ## Three results of the field
#
# *A part can beat the full set.* Logistic loss, 5 % wrong labels, examples kept that a surrogate finds uncertain
# (Kolossov, Montanari and Tandon, arXiv:2309.14563): at a weak penalty 80 % are better than all, at a strong one the
# gain is gone.

# %%
for lam in (0.001, 0.1):
    full, part = (presets.surrogate_sampling(2.29, f, lam=lam, exponent=1.0) for f in (1.0, 0.8))
    print(f"lam = {lam:g}: full set {full.label_error:.4f}, 80 % {part.label_error:.4f}")

# %% [markdown]
# ![A part beats the full set](../figures/selection_under_noise.png)
#
# *Clean labels favour hard examples, wrong labels easy ones* (Dohmatob, Pezeshki and Askari-Hemmat, arXiv:2511.03492):
# least squares, labels by a generator, margins by an oracle, errors against a truth that is neither.

# %%
for cosines in ((1.0, 0.8, 0.8), (0.9, 1.0, 0.9)):
    errors = {rule: presets.curated_labels_unlimited(0.5, cosines, rule) for rule in ("hard", "easy", "random")}
    print(f"(truth.generator, truth.oracle) = {cosines[:2]}:", {rule: round(e, 4) for rule, e in errors.items()})

# %% [markdown]
# ![Phase line](../figures/clean_or_wrong_labels.png)
#
# *Random examples repair hard-only pruning when little is kept* (the claim of Ayed and Hayou, arXiv:2302.06960):
#
# ![Random share](../figures/random_share_repairs.png)

# %%
noisy = {"theta": np.deg2rad(20), "student": loss, "labels": labels}
for share in (0.0, 0.5, 1.0):
    s = pt.solve(1.0, selection=presets.randomised_rule(0.1, share), **noisy)
    print(f"keep 10 % of 10 examples per parameter, {100 * share:3.0f} % of them random: error {s.test_error:.4f}")
