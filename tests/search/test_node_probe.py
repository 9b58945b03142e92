"""A look at the nodes of a cluster, and searches on clusters of this machine's own: two nodes, with and without what they need."""

import os
import re
import secrets
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from local_cluster import processes_with

from fusearch.run import Run
from fusearch.search.node_probe import PACKAGES, NodeView, differences, faults, look_around

VERSIONS = {"fusearch": "0.1.0 (code 1)", "python": "3.11.7", "torch": "2.11.0"}


def test_this_machine_sees_what_it_needs(tmp_path):
    (tmp_path / "config.yaml").write_text("format: 1\n")
    seen = look_around()(["fusearch.search.job"], {str(tmp_path / "config.yaml"): "format: 1\n"}, PACKAGES)
    assert (seen["import_error"], seen["unseen"]) == (None, ())
    assert all(seen["versions"].values())
    assert faults([NodeView("one", **seen)], seen["versions"], is_shipped=False) == []
    assert differences([NodeView("one", **seen)], seen["versions"]) == []


def test_what_is_not_there_is_seen_to_be_missing(tmp_path):
    (tmp_path / "config.yaml").write_text("of another run\n")
    files = {str(tmp_path / "config.yaml"): "format: 1\n", str(tmp_path / "none" / "config.yaml"): "format: 1\n"}
    seen = look_around()(["fusearch.search.nothing"], files, ("no-such-package",))
    assert seen["import_error"] == "ModuleNotFoundError: No module named 'fusearch.search.nothing'"
    assert seen["unseen"] == tuple(files)
    assert seen["versions"]["no-such-package"] is None


@pytest.mark.parametrize(
    ("view", "is_shipped", "line"),
    [
        (
            NodeView("gpu-7", import_error="ModuleNotFoundError: no fusearch"),
            False,
            "fusearch cannot be imported on node gpu-7: ModuleNotFoundError: no fusearch; install it there, or ship it (--ship)",
        ),
        (
            NodeView("gpu-7", import_error="ModuleNotFoundError: No module named 'torch'"),
            True,
            "fusearch cannot be imported on node gpu-7: ModuleNotFoundError: No module named 'torch'",
        ),
        (
            NodeView("gpu-7", unseen=("/runs/first/config.yaml",), versions=VERSIONS),
            False,
            "node gpu-7 does not see /runs/first: share the folder between the nodes",
        ),
        (
            NodeView("gpu-7", versions={**VERSIONS, "fusearch": "0.0.9 (code 2)"}),
            False,
            "fusearch is 0.0.9 (code 2) on node gpu-7 and 0.1.0 (code 1) here; install it there, or ship it (--ship)",
        ),
        (NodeView("gpu-7", failure="disk full"), False, "a worker could not start on node gpu-7: disk full"),
    ],
)
def test_a_fault_names_the_node_and_what_to_do(view, is_shipped, line):
    assert faults([view, NodeView("gpu-8", versions=VERSIONS)], VERSIONS, is_shipped=is_shipped) == [line]


def test_a_difference_names_the_node_and_both_versions():
    views = [NodeView("a", versions={**VERSIONS, "torch": None}), NodeView("b", versions={**VERSIONS, "python": "3.12.1"})]
    assert differences(views, VERSIONS) == [
        "torch is not installed on node a and 2.11.0 here: results may differ",
        "python is 3.12.1 on node b and 3.11.7 here: results may differ",
    ]


# Clusters of this machine's own


def packages_by_node(run):
    return {record.details["node"]: record.details["package"] for record in run.records() if record.evaluated}


@pytest.mark.slow
@pytest.mark.ray
def test_a_search_that_is_stopped_leaves_the_cluster_running_and_nothing_of_its_own_there(cluster, tmp_path):
    def workers():
        commands = [Path(f"/proc/{number}/cmdline") for number in processes_with("TEST_NODE=one")]
        return [path for path in commands if path.exists() and b"Trainable" in path.read_bytes()]

    cluster.start("one")
    process = cluster.search(tmp_path / "run", seconds=100, trials=3, workers=1)
    deadline = time.monotonic() + 120
    while not workers() or Run(tmp_path / "run").status()["trials"]["running"] != 1:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.terminate()
    said, errors = process.communicate(timeout=60)
    assert said.strip() == "stopped | interrupted by SIGTERM", errors
    deadline = time.monotonic() + 60
    while workers():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    said, errors = cluster.search(tmp_path / "run", trials=2, resume=True).communicate(timeout=120)
    assert said.strip() == "finished | 2 trials are done", errors


@pytest.fixture
def without_fusearch(tmp_path):
    """Give a folder that, before all others on the path, has a fusearch which cannot be imported: as a node where it is not installed."""
    (tmp_path / "bare" / "fusearch").mkdir(parents=True)
    (tmp_path / "bare" / "fusearch" / "__init__.py").write_text("raise ImportError('not installed here')\n")
    return tmp_path / "bare"


@pytest.mark.slow
@pytest.mark.ray
def test_the_package_is_shipped_where_a_node_lacks_it(cluster, tmp_path, without_fusearch):
    cluster.start("bare", python_path=without_fusearch)
    said, errors = cluster.search(tmp_path / "refused", trials=2, ship=False).communicate(timeout=120)
    line = "fusearch cannot be imported on node bare: ImportError: not installed here; install it there, or ship it (--ship)"
    assert line in errors
    assert not (tmp_path / "refused").exists()
    said, errors = cluster.search(tmp_path / "run", trials=3).communicate(timeout=120)
    assert said.strip() == "finished | 3 trials are done", errors
    (package,) = set(packages_by_node(Run(tmp_path / "run")).values())
    assert str(without_fusearch) not in package
    assert "py_modules_files" in package


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.parametrize("cluster", [secrets.token_hex(32)], indirect=True, ids=["token"])
def test_a_cluster_that_asks_for_a_token_is_joined_with_it_and_not_without(cluster, tmp_path):
    """The token is the user's, in the environment: a search on a cluster neither sets nor changes it."""
    cluster.start("guarded")
    said, errors = cluster.search(tmp_path / "run", trials=2).communicate(timeout=120)
    assert said.strip() == "finished | 2 trials are done", errors
    assert set(packages_by_node(Run(tmp_path / "run"))) == {"guarded"}
    other = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    for given, hint in (({}, "does it ask for a token (RAY_AUTH_MODE=token)?"), (other, "is the token here that of the cluster?")):
        outside = {name: value for name, value in cluster.environment.items() if not name.startswith("RAY_AUTH")}
        said, errors = cluster.search(tmp_path / "refused", trials=2, environment={**outside, **given}).communicate(timeout=120)
        last = errors.strip().splitlines()[-1]
        assert f"RunError: no Ray cluster at '{cluster.address}': " in last
        assert last.endswith(f"; {hint}")
        assert not (tmp_path / "refused").exists()


# What docs/cluster.md shows

PAGE = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text(encoding="utf-8")


def block(language, first):
    """Return the block of the page that starts so."""
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if text.startswith(first))


def test_the_configuration_of_the_page_is_one_of_rays():
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(yaml.safe_load(block("yaml", "cluster_name")))
    validate_config(config)
    assert config["max_workers"] == 2
    assert "RAY_AUTH_MODE=token" in config["head_start_ray_commands"][-1]


#: Slurm's commands, on this machine alone: the options of `srun` are left out, and what it should run is run here.
SLURM = {"scontrol": "echo one; echo two", "srun": 'while [[ $1 == --* ]]; do shift; done; exec "$@"'}


@pytest.mark.slow
@pytest.mark.ray
def test_the_slurm_script_of_the_page_searches_on_its_nodes_and_goes_on(tmp_path):
    for name, text in SLURM.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "search.sh").write_text(block("bash", "#!/bin/bash"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    paths = os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), clean["PATH"]])
    slurm = {"SLURM_JOB_NODELIST": "one,two", "SLURM_JOB_ID": str(os.getpid()), "SLURM_CPUS_PER_TASK": "1"}
    environment = {**clean, **slurm, "PATH": paths, "PYTHONPATH": str(Path(__file__).parents[2]), "RAY_USAGE_STATS_ENABLED": "0"}
    for trials in (3, 4):
        words = ["bash", "search.sh", "wisconsin", "run", "--trials", str(trials), "--epochs", "1", "--folds", "2"]
        with (tmp_path / "said").open("w") as said:
            done = subprocess.run(words, cwd=tmp_path, env=environment, stdout=said, stderr=said, check=False, timeout=140)
        assert done.returncode == 0, (tmp_path / "said").read_text()
        status = Run(tmp_path / "run").status()
        assert (status["state"], status["trials"]["complete"]) == ("finished", trials), (tmp_path / "said").read_text()
        deadline = time.monotonic() + 30
        while processes_with(f"SLURM_JOB_ID={os.getpid()}"):  # as the script has asked them to end
            assert time.monotonic() < deadline, processes_with(f"SLURM_JOB_ID={os.getpid()}")
            time.sleep(0.2)
