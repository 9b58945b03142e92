"""A look at the nodes of a cluster, and searches on clusters of this machine's own: two nodes, with and without what they need."""

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

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

SEARCH = """
import logging, os, sys, time
from fusearch.contracts import Evaluation
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

def evaluate(candidate, budget, report):
    time.sleep(seconds)
    import fusearch
    return Evaluation({"score": 0.5}, details={"node": os.environ.get("TEST_NODE"), "package": os.path.dirname(fusearch.__file__)})

space = SearchSpace([Modality("rna", "tabular", (20,)), Modality("labs", "tabular", (8,))])
settings, seconds = eval(sys.argv[2]), float(sys.argv[3])
run = run_search(space, evaluate, "score:max", out=sys.argv[1], sampler="random", **settings)
print(run.status()["state"], "|", run.status()["reason"])
"""


class LocalCluster:
    """Nodes that `ray start` makes on this machine, each with the variable TEST_NODE in the environment of its processes."""

    def __init__(self, folder, token=None):
        self.folder, self.port, self.nodes = folder, free_port(), {}
        # Sockets of Ray need a short path.
        self.temp = Path("/tmp") / f"fs-{secrets.token_hex(3)}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        modes = {"RAY_AUTH_MODE": "disabled"} if token is None else {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token}
        self.environment = {**clean, **modes, "RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self, name, python_path=None, cpus=1):
        """Start a node; the first is the head."""
        where = ["--address", self.address] if self.nodes else ["--head", "--port", self.port]
        where += [] if self.nodes else ["--include-dashboard", "false", "--temp-dir", self.temp]
        words = [sys.executable, "-W", "ignore", "-m", "ray.scripts.scripts", "start", *where, "--node-ip-address", "127.0.0.1"]
        words += ["--node-name", name, "--num-cpus", cpus, "--num-gpus", 0, "--object-store-memory", 100_000_000, "--block"]
        extra = {"TEST_NODE": name, **({} if python_path is None else {"PYTHONPATH": str(python_path)})}
        with (self.folder / f"{name}.log").open("w") as log:
            environment = {**self.environment, **extra}
            self.nodes[name] = subprocess.Popen([*map(str, words)], env=environment, stdout=log, stderr=log, cwd=self.folder)
        deadline = time.monotonic() + 60
        while "Ray runtime started" not in (self.folder / f"{name}.log").read_text():
            assert self.nodes[name].poll() is None, (self.folder / f"{name}.log").read_text()
            assert time.monotonic() < deadline, (self.folder / f"{name}.log").read_text()
            time.sleep(0.1)

    def kill(self, name):
        """Kill all processes of a node, as a machine that loses its power."""
        for _ in range(3):  # workers that were being started
            for number in processes_with(f"TEST_NODE={name}"):
                with suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
        self.nodes[name].wait(timeout=30)

    def search(self, out, seconds=0.2, environment=None, **settings):
        """Start a search on the cluster, from a folder that has no fusearch in it."""
        (self.folder / "search.py").write_text(SEARCH)
        words = [sys.executable, "-W", "ignore", "search.py", out, repr({"address": self.address, **settings}), str(seconds)]
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=self.environment if environment is None else environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def processes_with(variable):
    """Return the processes that have a variable of that value in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if variable.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return found


def free_port():
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return door.getsockname()[1]


@pytest.fixture
def cluster(tmp_path, request):
    made = LocalCluster(tmp_path, token=getattr(request, "param", None))
    yield made
    for name in reversed(made.nodes):
        made.kill(name)
    shutil.rmtree(made.temp, ignore_errors=True)


def packages_by_node(run):
    return {record.details["node"]: record.details["package"] for record in run.records() if record.evaluated}


@pytest.mark.slow
@pytest.mark.ray
def test_both_nodes_are_used_and_one_that_is_killed_takes_no_finished_trial_with_it(cluster, tmp_path):
    cluster.start("one")
    cluster.start("two")
    process = cluster.search(tmp_path / "run", seconds=0.5, trials=40, workers=2)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "config.yaml").exists() or len(packages_by_node(Run(tmp_path / "run"))) < 2:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    before = {record.candidate for record in Run(tmp_path / "run").records() if record.evaluated}
    cluster.kill("two")
    said, errors = process.communicate(timeout=250)
    assert said.strip().splitlines()[-1:] == ["finished | 40 trials are done"], errors
    run = Run(tmp_path / "run")
    after = [record for record in run.records() if record.evaluated]
    assert before <= {record.candidate for record in after}
    status = run.status()["trials"]
    assert (status["running"], status["waiting"]) == (0, 0)
    assert status["complete"] + status["failed"] == 40 + status["repeated"]
    assert status["failed"] <= 2, json.dumps(status)


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
