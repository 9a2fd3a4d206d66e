# %% [markdown]
# # Your own scores
#
# From what a training run leaves behind to a list of examples to keep, with the error the theory expects. The data
# are the 1,797 images of digits that come with scikit-learn, and the "network" is a softmax regression; with your own
# logits the calls are the same.

# %%
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict

import perceptron_theory as pt
from perceptron_theory import metrics
from perceptron_theory.plotting import clustermap_figure, frontier_figure, scores_figure

# %matplotlib inline
pixels, digit = load_digits(return_X_y=True)
x = pixels / 16.0
test = np.arange(len(digit)) % 4 == 0  # held out for the last section
images, labels = x[~test], digit[~test]
len(labels)

# %% [markdown]
# ## Metrics
#
# Each image is judged by a model that has not seen it: five folds, four seeds. All metrics are functions of tensors,
# on whatever device these are.


# %%
def softmax(seed):
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    return cross_val_predict(LogisticRegression(max_iter=200), images, labels, cv=folds, method="predict_proba")


outputs = torch.tensor(np.array([softmax(seed) for seed in range(4)]))  # models, images, classes
truth = torch.tensor(labels)
measured = {
    "el2n": metrics.el2n(outputs, truth, given="probabilities"),
    "margin": metrics.margin(outputs.mean(0), truth, given="probabilities"),
    "fraction_right": metrics.fraction_right(outputs.argmax(2) == truth),
    "prototype_distance": metrics.prototype_distance(torch.tensor(images), 30, seed=0).scores,
    "supervised_prototype_distance": metrics.supervised_prototype_distance(torch.tensor(images), truth),
}
scores = {
    name: pt.Scores(values.numpy(), metrics.HIGHER_IS[name], name, labels=labels, metric=name)
    for name, values in measured.items()
}
print(pt.inspect_scores(scores["el2n"]))

# %% [markdown]
# Direction is never guessed: `metrics.HIGHER_IS` has it for every metric, and a score file needs `higher_is` unless
# it is one of the published ImageNet files. A file is read and looked at the same way:

# %%
folder = Path(tempfile.mkdtemp())
np.savez(folder / "digits.npz", el2n=measured["el2n"].numpy(), label=labels)
el2n = pt.read_scores(folder / "digits.npz", key="el2n", labels="label", higher_is="harder", metric="EL2N")
scores_figure(scores["fraction_right"], pt.inspect_scores(scores["fraction_right"]))

# %% [markdown]
# Which metrics call the same images hard?

# %%
clustermap_figure(pt.rank_correlation(scores), "Spearman's rank correlation, 1,347 digits")

# %% [markdown]
# ## How good is the metric?
#
# The theory needs one number of a metric: the angle $\theta$ between the direction it scores along and the truth.
# There is no direct way to measure it. Three indirect ones, each with its assumption:

# %%
wrong = int((outputs[0].argmax(1) != truth).sum())
print(pt.theta_from_error_rate(wrong, len(labels)))
disagree = int((outputs[0].argmax(1) != outputs[1].argmax(1)).sum())
print(pt.theta_from_agreement(disagree, len(labels)))
cheap = scores["supervised_prototype_distance"]
print(pt.theta_from_rank_correlation(cheap, scores["el2n"]))

# %% [markdown]
# The intervals are those of chance alone. The first two say how good a *cross-validated model* is, the third how far a
# cheap metric is from a better one. They need not agree: ten classes are not two, and the seeds share their data.
#
# ## What the theory expects
#
# By rank, only the order of the scores counts: it is mapped to distances from the probe's boundary.

# %%
theta = pt.theta_from_rank_correlation(cheap, scores["el2n"]).theta
sizes = np.geomspace(0.5, 50.0, 25)
margins = cheap.margins()
frontier = pt.pareto_frontier(sizes, theta, alpha_tot_max=50.0, margins=margins)
curves = pt.learning_curve(sizes, [0.1, 0.2, 0.4, 0.7], theta, margins=margins)
frontier_figure(frontier, curves, "digits by distance to the class mean")

# %% [markdown]
# Where the dashed line touches the grey one, at few examples per parameter, random images are as good as chosen ones.
#
# ## The keep-list
#
# Half of the images, the hardest by EL2N; each class keeps at least half of its equal share.

# %%
keep = pt.select(el2n, 0.5, mode="hard", class_floor=0.5, theory={"theta": theta})
keep.classes

# %%
files = keep.write(folder / "keep")
print([file.name for file in files])
kept = np.load(folder / "keep" / "kept_indices.npy")
dataset = torch.utils.data.TensorDataset(torch.tensor(images), truth)
len(keep.subset(dataset)), kept[:5]

# %% [markdown]
# ## Does it beat random?
#
# The question that every keep-list must answer. Softmax regressions are trained on the kept images and tested on the
# 450 that no metric has seen; random is repeated ten times.


# %%
def error(rows):
    model = LogisticRegression(max_iter=200).fit(images[rows], labels[rows])
    return float(np.mean(model.predict(x[test]) != digit[test]))


rows = []
for f in (0.1, 0.2, 0.4, 0.7):
    chosen = {mode: error(pt.select(el2n, f, mode=mode, class_floor=0.5).indices) for mode in ("hard", "easy")}
    random = [error(pt.select(el2n, f, mode="random", seed=seed).indices) for seed in range(10)]
    rows.append({"f": f, **chosen, "random": np.mean(random), "random, s.d.": np.std(random, ddof=1)})
pd.DataFrame(rows).set_index("f").round(3)

# %%
print(f"all {len(labels)}: {error(np.arange(len(labels))):.3f}")

# %% [markdown]
# With a tenth of the images, hard ones alone are worse than random ones; from a fifth on they are better, and with 40 %
# as good as all. That is the order of things that the theory predicts: few examples, keep easy or random ones; many,
# keep hard ones. (One draw of the data: differences below the last column are chance.)
