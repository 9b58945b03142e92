import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from fusearch.run import Run
from fusearch.search.orphans import find_orphans

SMALL = ("--executor", "inline", "--trials", 12, "--epochs", 2, "--folds", 2, "--sampler", "random")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small search, run by the command itself."""
    from fusearch.cli import main

    out = tmp_path_factory.mktemp("runs") / "small"
    with pytest.raises(SystemExit) as exit_:
        main(["search", "wisconsin", "-o", "auroc", "-o", "macs", "--out", str(out), *map(str, SMALL)])
    assert not exit_.value.code
    return out


def test_search_writes_the_run_folder_and_the_report(finished: Path) -> None:
    assert {"config.yaml", "study.journal", "report.html", "report.md", "trials.csv", "report.json"} <= {
        path.name for path in finished.iterdir()
    }


def test_the_report_tells_the_command_that_made_the_run(finished: Path, fusearch: Callable[..., Any]) -> None:
    words = Run(finished).config["command"]
    assert words[:3] == ["fusearch", "search", "wisconsin"]
    assert words[-len(SMALL) :] == list(map(str, SMALL))
    told = json.loads((finished / "report.json").read_text(encoding="utf-8"))["command"]
    assert shlex.split(told) == [*(word for word in words if word not in ("--out", str(finished))), "--out", "NEW_FOLDER"]


def test_the_report_tells_where_designs_were_trained_and_a_device_that_is_not_here_is_refused(
    finished: Path, tmp_path: Path, fusearch: Callable[..., Any]
) -> None:
    trained = sum("device" in record.details for record in Run(finished).read().records)
    assert re.search(rf"cpu on \S+: {trained} designs", (finished / "report.html").read_text(encoding="utf-8"))
    for words in (
        ("search", "wisconsin", *SMALL, "--out", tmp_path / "run"),
        ("evaluate", "F1 = cat(mean@L, worst@L) ->", "--data", "wisconsin"),
        ("export", finished, "--out", tmp_path / "export"),
        ("confirm", finished),
        ("explain", finished),
    ):
        done = fusearch(*words, "--device", "cuda:99")
        assert (done.code, "device 'cuda:99' is not on this machine, expected one of: auto, cpu" in done.err) == (2, True)
    assert not any((tmp_path / name).exists() for name in ("run", "export"))


def test_status_document(finished: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("status", finished, "--json")
    assert done.code == 0
    status = done.document
    assert status["state"] == "finished"
    assert status["trials"]["complete"] >= 12
    assert status["trials"]["failed"] == status["trials"]["running"] == 0
    assert [objective["name"] for objective in status["objectives"]] == ["auroc", "macs"]
    assert status["weights"]["designs"] >= len(status["front"])
    assert status["weights"]["networks"] == 2 * status["weights"]["designs"], "two folds"
    assert status["weights"]["bytes"] > 0
    assert f"weights kept: {status['weights']['networks']} networks of" in fusearch("status", finished).out
    assert status["front"]
    for record in status["front"]:
        assert {"digest", "formula", "values", "trial"} <= set(record)
    assert set(status["references"]) == {"best_unimodal", "linear", "early", "penultimate", "late", "stacked"}
    text = fusearch("status", finished)
    assert "Pareto front" in text.out
    assert "References, the best of each role by auroc and log_loss" in text.out
    assert "penultimate" in text.out


def test_report_command(finished: Path, tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("report", finished, "--out", tmp_path / "page", "--figures", tmp_path / "figures", "--json")
    assert done.code == 0
    assert Path(done.document["report"]).is_file()
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {Path(path).name for path in done.document["figures"]}
    assert (tmp_path / "figures" / "front.svg").is_file()


def test_report_says_what_pdf_needs_where_it_is_absent(
    finished: Path, fusearch: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    done = fusearch("report", finished, "--out", tmp_path / "page", "--figures", tmp_path / "figures")
    assert done.code == 0
    assert done.err == "warning: figures are written as SVG alone: for PDF too, pip install 'fusearch[pdf]'\n"
    assert {path.suffix for path in (tmp_path / "figures").iterdir()} == {".svg"}


def test_report_scores_the_levels_of_a_column_apart_and_so_do_later_reports(
    finished: Path, fusearch: Callable[..., Any], tmp_path: Path
) -> None:
    run = shutil.copytree(finished, tmp_path / "run")
    assert fusearch("report", run, "--by", "mean_radius").code == 0
    fusearch("report", run)
    (told,) = json.loads((run / "report.json").read_text(encoding="utf-8"))["levels"]
    assert (told["column"], [level["level"] is None for level in told["levels"]]) == ("mean_radius", [True, False, False, False])
    assert sum(level["rows"] for level in told["levels"][1:]) == told["levels"][0]["rows"] == 484
    assert told["levels"][1]["reason"] is not None or told["levels"][1]["scores"]
    done = fusearch("report", run, "--by", "mean_radios")
    assert done.code == 2
    assert "no table has a column 'mean_radios', did you mean 'mean_radius'?" in done.err


def test_select_is_kept_and_may_be_asked_for_otherwise(finished: Path, tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    kept = Run(finished).read()
    assert Run(finished).config["search"]["select"] == kept.selected_by
    for how, names in (("metric", ["auroc"]), ("loss", ["log_loss"]), ("both", ["auroc", "log_loss"])):
        status = fusearch("status", finished, "--select", how, "--json").document
        assert status["picked_by"] == names
        page = fusearch("report", finished, "--select", how, "--out", tmp_path / how, "--json").document["report"]
        told = json.loads(Path(page).with_name("report.json").read_text(encoding="utf-8"))
        best = Run(finished, select=how).read()
        assert told["picked_by"] == names
        assert told["verdict"]["answers"] == status["verdict"]["answers"]
        assert told["recommended"]["trial"] == status["verdict"]["answers"]["pick"]["trial"] == best.pick("simplest").number
        losses = [record.values["log_loss"] for record in best.feasible]
        assert (losses == sorted(losses)) == (how == "loss")
    refused = fusearch("search", "wisconsin", "--out", tmp_path / "run", "--select", "los", *SMALL)
    assert refused.code == 2
    assert "select 'los': did you mean 'loss'" in refused.err


def test_compare(finished: Path, tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    shutil.copytree(finished, tmp_path / "copy")
    done = fusearch("compare", finished, tmp_path / "copy", "--out", tmp_path / "page.html")
    assert done.code == 0, done.err
    assert "Searching is a gain in" in done.out
    assert (tmp_path / "page.html").is_file()
    told = fusearch("compare", finished, tmp_path / "copy", "--json").document
    assert told["runs"][0]["hypervolume"] == told["runs"][1]["hypervolume"]
    assert told["page"] is None
    alone = fusearch("compare", finished)
    assert alone.code == 2
    assert "1 run to compare, expected two or more" in alone.err


def test_an_existing_run_folder_is_refused_and_resume_goes_on(finished: Path, fusearch: Callable[..., Any]) -> None:
    again = fusearch("search", "wisconsin", "--out", finished, *SMALL)
    assert again.code == 2
    assert "--resume" in again.err
    more = fusearch("search", "wisconsin", "--out", finished, "--resume", *SMALL, "--json")
    assert more.code == 0, more.err
    assert more.document["state"] == "finished"


def test_resume_with_another_space_shows_both_fingerprints(finished: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("search", "wisconsin", "--out", finished, "--resume", *SMALL, "--max-fusions", 1)
    assert done.code == 2
    assert "fingerprint" in done.err


def test_an_objective_that_the_task_lacks(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("search", "wisconsin", "--out", tmp_path / "x", "-o", "aurok")
    assert done.code == 2
    assert "did you mean 'auroc'?" in done.err
    assert not (tmp_path / "x").exists()


def test_how_many_members_are_trained_together_is_an_option(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("search", "wisconsin", "--out", tmp_path / "x", "--pack", "of")
    assert done.code == 2
    assert "pack is 'of', expected 'auto', 'off' or a number of members such as 15" in done.err
    assert not (tmp_path / "x").exists()


def test_a_malformed_encoder_option(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    done = fusearch("search", "wisconsin", "--out", tmp_path / "x", "--encoder", "mean")
    assert done.code == 2
    assert "--encoder 'mean': expected MODALITY=NAME" in done.err


def test_settings_of_a_strategy(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    common = ("search", "wisconsin", "--executor", "inline", "--epochs", 2, "--folds", 2)
    refused = fusearch(*common, "--out", tmp_path / "no", "--diversity", "kappa")
    assert refused.code == 2
    assert "--diversity 'kappa': strategy 'graph' does not take it" in refused.err
    assert not (tmp_path / "no").exists()
    chosen = [part for name in ("mean", "error", "worst") for part in ("--encoder", f"{name}=mlp1")]
    settings = ("--strategy", "late-ensemble", "--diversity", "kappa", "--require", "mean", "--max-per-modality", 1)
    done = fusearch(*common, *settings, *chosen, "--out", tmp_path / "run", "--json")
    assert done.code == 0, done.err
    decision = json.loads((tmp_path / "run" / "strategy.json").read_text())
    assert decision["diversity"] == "kappa"
    assert len(decision["networks"]) == 3
    assert decision["subsets"]["allowed"] == 2  # mean alone, or all three


def write_cohort(folder: Path, name: str, *, sign: int, splits: dict[str, Any]) -> Path:
    """A table whose first column gives the target, or in a cohort of sign -1 its opposite; three centres."""
    rng = np.random.default_rng(len(name))
    codes = np.arange(60) % 2
    table = pd.DataFrame(rng.normal(size=(60, 3)), columns=["x1", "x2", "x3"])
    table["x1"] += sign * 4.0 * (codes - 0.5)
    table.insert(0, "patient", [f"p{row}" for row in range(60)])
    labels = pd.DataFrame({"patient": table["patient"], "centre": [f"c{row // 20}" for row in range(60)], "ill": codes})
    table.to_csv(folder / f"{name}_table.csv", index=False)
    labels.to_csv(folder / f"{name}_labels.csv", index=False)
    manifest = {
        "id": "patient",
        "task": {"kind": "classification", "file": f"{name}_labels.csv", "column": "ill"},
        "modalities": {"table": {"kind": "tabular", "file": f"{name}_table.csv"}},
        "splits": splits,
    }
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(manifest), encoding="utf-8")
    return path


def test_leaving_centres_out_and_confirming_on_another_cohort(tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    write_cohort(tmp_path, "other", sign=-1, splits={"folds": 3})
    data = write_cohort(tmp_path, "ours", sign=1, splits={"folds": "groups", "group": "centre", "test": "other.yaml"})
    checked = fusearch("check", data, "--json")
    assert checked.document["splits"]["test"]["rows"] == 60
    out = tmp_path / "run"
    done = fusearch("search", data, "--executor", "inline", "--trials", 3, "--epochs", 20, "--out", out, "--json")
    assert done.code == 0, done.err
    best = Run(out).pick("best:auroc")
    assert [member["fold"] for member in best.details["members"]] == [0, 1, 2]
    rows = np.load(out / "predictions" / f"{best.candidate}.npz")
    assert {fold: set(rows["ids"][rows["fold"] == fold]) for fold in range(3)} == {
        fold: {f"p{row}" for row in range(20 * fold, 20 * fold + 20)} for fold in range(3)
    }
    look = fusearch("confirm", out, "--pick", best.digest, "--json")
    assert look.code == 0, look.err
    assert (look.document["look"], look.document["samples"]) == (1, 60)
    picked = look.document["designs"][0]
    assert picked["search"]["auroc"] > 0.9
    assert picked["values"]["auroc"] < 0.1  # the other cohort turns the signal round


def test_export_and_confirm(finished: Path, tmp_path: Path, fusearch: Callable[..., Any]) -> None:
    chosen = ("--select", "loss", "--pick", "best", "--out", tmp_path / "export", "--seeds", 1)
    done = fusearch("export", finished, *chosen, "--json")
    assert done.code == 0, done.err
    assert {"model.pt2", "model.onnx", "design.json", "predict.py"} <= set(done.document["files"])
    assert done.document["values"]["log_loss"] == min(record.values["log_loss"] for record in Run(finished).feasible())
    again = fusearch("export", finished, "--out", tmp_path / "export", "--seeds", 1)
    assert again.code == 2
    told = fusearch("export", finished, "--out", tmp_path / "source", "--seeds", 1, "--format", "module").out
    assert told.splitlines()[-1] == f"How to run it: {tmp_path / 'source' / 'model_card.md'}"
    first = fusearch("confirm", finished, "--json")
    assert first.code == 0, first.err
    assert first.document["look"] == 1
    again = fusearch("confirm", finished, "--pick", "knee").out
    assert "Look 2" in again
    assert "This look: The pick (trial " in again
    assert "90 % interval" in again.partition("This look")[2]


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_says_how_to_go_on(tmp_path: Path) -> None:
    out = tmp_path / "stopped"
    code = "from fusearch.cli import main; main()"
    arguments = ["search", "wisconsin", "--executor", "inline", "--trials", "1000", "--epochs", "2", "--folds", "2", "--out", str(out)]
    process = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while not any((out / "predictions").glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    printed, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert "interrupted by SIGINT. To go on: the same command with --resume." in printed
    assert (out / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("numbers", [[signal.SIGTERM, signal.SIGTERM], [signal.SIGHUP]])
def test_a_signal_to_the_process_group_of_the_command_is_a_clean_stop(tmp_path: Path, numbers: list[signal.Signals]) -> None:
    out = tmp_path / "stopped"
    words = ["search", "wisconsin", "--workers", "2", "--epochs", "2", "--folds", "2", "--out", str(out), "--trials"]
    command = [sys.executable, "-c", "from fusearch.cli import main; main()", *words]
    process = subprocess.Popen([*command, "1000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not any((out / "predictions").glob("*.npz")) and time.monotonic() < deadline:
        time.sleep(0.2)
    for number in numbers:
        os.killpg(process.pid, number)
    printed, complaint = process.communicate(timeout=60)
    assert process.returncode == 130, complaint
    assert f"interrupted by {numbers[0].name}. To go on: the same command with --resume." in printed
    assert (out / "report.html").is_file()
    assert find_orphans(out) == []
    trials = Run(out).status()["trials"]
    assert (trials["running"], trials["failed"]) == (0, 0)
    wanted = trials["complete"] + trials["waiting"]
    done = subprocess.run([*command, str(wanted), "--resume"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert Run(out).status()["trials"]["complete"] == wanted
