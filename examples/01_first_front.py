"""A first Pareto front: search fusion designs for an embedded data set, report, export. About a minute on 2 cores."""

import sys

import fusearch as fs

out = sys.argv[1] if len(sys.argv) > 1 else "runs/first"
data = fs.load_data("wisconsin")
space = fs.SearchSpace(data.modalities)
run = fs.run_search(space, fs.TrainingEvaluator(data, epochs=20), objectives=["auroc", "macs"], trials=12, out=out)
for record in run.front():
    print(record.objectives, record.formula, sep="\n")
print(fs.write_report(run))
print(fs.export(run, f"{out}/export", pick="simplest"))
