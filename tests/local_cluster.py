"""Ray clusters of several nodes on this machine, which come and go as a test says, and searches on them."""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

__all__ = ["LocalCluster", "free_port", "processes_with"]

SEARCH = """
import logging, os, sys, time
from fusearch.contracts import Evaluation
from fusearch.data.modality import Modality
from fusearch.search import run_search
from fusearch.search_space import SearchSpace

def evaluate(candidate, budget, report):
    open(os.path.join(folder, f"began-on-{os.environ.get('TEST_NODE')}"), "w").close()
    time.sleep(seconds)
    import fusearch
    return Evaluation({"score": 0.5}, details={"node": os.environ.get("TEST_NODE"), "package": os.path.dirname(fusearch.__file__)})

space = SearchSpace([Modality("rna", "tabular", (20,)), Modality("labs", "tabular", (8,))])
settings, seconds, folder = eval(sys.argv[2]), float(sys.argv[3]), os.getcwd()
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
        """Kill all processes of a node at once, as a machine that loses its power: none tells what became of another."""
        for number in (signal.SIGSTOP, signal.SIGKILL, signal.SIGKILL):  # workers that were being started
            for process in processes_with(f"TEST_NODE={name}"):
                with suppress(ProcessLookupError):
                    os.kill(process, number)
        self.nodes[name].wait(timeout=30)

    def leave(self, name):
        """Ask a node to end, as a scheduler does that needs the machine."""
        for process in processes_with(f"TEST_NODE={name}"):
            if Path(f"/proc/{process}/exe").resolve().name == "raylet":
                os.kill(process, signal.SIGTERM)

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
