# %% [markdown]
# # A session with its output
#
# A small search from data to a model, in Python. The build of these pages runs it, so what stands below a cell is what it printed.
# The same as a notebook: [tutorial.ipynb](tutorial.ipynb).
#
# ## The data
#
# `wisconsin` is embedded: 569 breast masses, and three tables of ten measurements each: the mean over the cells
# of an image, the error of that mean, and the worst cells.

# %%
import fusearch as fs

data = fs.load_data("wisconsin")
for modality in data.modalities:
    print(modality.name, modality.kind, modality.shape)

# %% [markdown]
# ## One design
#
# A design is a formula. This one joins the embeddings of two tables.

# %%
from fusearch.reports import draw

graph = fs.FusionGraph.parse("mean:mlp | worst:mlp; F1 = low_rank(mean@1, worst@L; trunk=fc:1) ->", data.modalities)
draw(graph)

# %% [markdown]
# An evaluator trains it on every fold. What it costs is known before.

# %%
evaluator = fs.TrainingEvaluator(data, folds=3, epochs=8)
evaluation = evaluator(fs.Candidate(graph), fs.Budget(), lambda step, values: None)
print(f"AUROC {evaluation['auroc']:.3f} ± {evaluation.spread['auroc']:.3f}, {evaluation['macs']:,.0f} MACs")

# %% [markdown]
# ## A search
#
# Twenty-four designs in this process. The reference designs come first: each table alone, a linear model, early, penultimate, late and
# stacked fusion.

# %%
space = fs.SearchSpace(data.modalities, max_fusions=2)
run = fs.run_search(space, evaluator, objectives=["auroc", "macs"], trials=24, executor="inline", out="run")
for record in run.front():
    print(record.objectives, record.formula, sep="\n")

# %% [markdown]
# The front as a picture; stars are teams of designs.

# %%
from fusearch.reports import front_svg

front_svg(run)

# %% [markdown]
# ## Compare
#
# The best of each simple kind stands beside it.

# %%
from fusearch.reports import trials_frame

frame = trials_frame(run)
frame.sort_values("auroc", ascending=False)[["trial", "auroc", "macs", "formula"]].head(5)

# %% [markdown]
# Does fusion help? The answer is estimated after selection: chosen on some rows, scored on others.

# %%
answers = run.status()["verdict"]["answers"]
for question in ("fusion", "search"):
    print(question, answers[question]["outcome"], answers[question]["interval"])

# %% [markdown]
# ## Pick and export
#
# `simplest` is the cheapest design within one standard error of the best.

# %%
pick = run.pick("simplest")
print(pick.formula)
bundle = fs.export(run, "model", pick="simplest", seeds=1)
print(sorted(path.name for path in bundle.iterdir()))

# %% [markdown]
# The test split has not been seen until now. [Start here](start.md) does the same on files, in the shell.
