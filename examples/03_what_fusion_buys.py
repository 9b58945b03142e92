"""What fusion buys: the answers of a search, its front, and three ways to pick from it. Half a minute on 2 cores.

    python examples/03_what_fusion_buys.py OUT

A search that is finished is read without torch: where OUT holds one, it is not searched again.
"""

import sys
from pathlib import Path

import fusearch as fs


def search(out: Path) -> fs.Run:
    data = fs.load_data("wisconsin")
    space = fs.SearchSpace(data.modalities, operators=["cat", "low_rank"], max_fusions=1)
    evaluator = fs.TrainingEvaluator(data, folds=3, epochs=5)
    return fs.run_search(space, evaluator, objectives=["auroc", "macs"], trials=14, executor="inline", out=out)


if __name__ == "__main__":
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/answers")
    run = fs.Run(out) if (out / "config.yaml").exists() else search(out)
    trials = run.read()  # one reading, so that all answers agree

    print("The best design of each simple kind, by what the search saw:")
    for role, record in trials.references.items():
        print(f"  {role:14} AUROC {record.values['auroc']:.3f}  MACs {record.values['macs']:>8,.0f}")

    print("The front, from cheap to good:")
    for record in sorted(trials.front, key=lambda record: record.values["macs"]):
        print(f"  AUROC {record.values['auroc']:.3f}  MACs {record.values['macs']:>8,.0f}  {record.formula.splitlines()[-1]}")

    answers = run.status()["verdict"]["answers"]
    for question in ("fusion", "search"):
        step = answers[question]
        print(f"{question}: {step['outcome']}", step["reason"] or f"{step['difference']:+.3f}, 90 % interval {step['interval']}")

    for how in ("simplest", "knee", "best:auroc"):
        record = trials.pick(how)
        print(f"{how:10} trial {record.number}: AUROC {record.values['auroc']:.3f}")
