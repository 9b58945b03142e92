"""A look at each node of a cluster before the first trial: can a worker start there, and does it find what it needs?"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["NodeView", "differences", "faults", "look_around", "view_nodes"]

#: Packages whose versions must agree, as objects of theirs travel between the nodes, or results depend on them.
PACKAGES = ("ray", "torch", "numpy", "pandas", "scikit-learn", "optuna", "monai")

#: Seconds that a node has to start a worker, and to install what is shipped.
START_SECONDS = 120.0


@dataclass(frozen=True)
class NodeView:
    """What a worker on a node sees.

    Attributes:
        node: Name of the node, for messages.
        failure: Why no worker could start there; None where one could.
        import_error: Why the package cannot be imported there; None where it can.
        unseen: Files of the driver that are not there, or are other files.
        versions: Version of Python, of fusearch (with a digest of its code) and of what it is made with; None for what is not there.
    """

    node: str
    failure: str | None = None
    import_error: str | None = None
    unseen: tuple[str, ...] = ()
    versions: Mapping[str, str | None] | None = None


def look_around() -> Callable[..., dict[str, Any]]:
    """Return the function that looks around; it travels as code, and imports what it needs where it runs: fusearch may not be there."""

    def look(modules: Sequence[str], files: Mapping[str, str], packages: Sequence[str]) -> dict[str, Any]:
        import hashlib
        import importlib
        import importlib.metadata
        import platform
        from pathlib import Path

        def version(name: str) -> str | None:
            try:
                return importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                return None

        def is_seen(name: str, content: str) -> bool:
            try:
                return Path(name).read_text(encoding="utf-8") == content
            except OSError:
                return False

        versions, error = {"python": platform.python_version(), **{name: version(name) for name in packages}}, None
        try:
            for module in modules:
                importlib.import_module(module)
            fusearch = importlib.import_module("fusearch")
            root = Path(str(fusearch.__file__)).parent
            code = hashlib.sha256()
            for path in sorted(root.rglob("*.py")):
                code.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
            versions["fusearch"] = f"{fusearch.__version__} (code {code.hexdigest()[:8]})"
        except Exception as found:
            error = " ".join(f"{type(found).__name__}: {found}".split())
        return {"import_error": error, "unseen": tuple(name for name in files if not is_seen(name, files[name])), "versions": versions}

    return look


def view_nodes(modules: Sequence[str], files: Sequence[Path], resources: Mapping[str, float]) -> list[NodeView]:
    """Look around on each living node that has the resources of a trial.

    Args:
        modules: What a worker imports.
        files: What a worker reads.
        resources: What a trial needs, by Ray's names.
    """
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    contents = {str(path): path.read_text(encoding="utf-8") for path in files}
    look, asked = ray.remote(num_cpus=0, max_retries=0)(look_around()), {}
    for node in ray.nodes():
        if node["Alive"] and all(node["Resources"].get(name, 0.0) >= needed for name, needed in resources.items() if needed):
            here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
            asked[look.options(scheduling_strategy=here).remote(modules, contents, PACKAGES)] = _name(node)
    done, _ = ray.wait(list(asked), num_returns=len(asked), timeout=START_SECONDS) if asked else ([], [])
    views = []
    for answer, name in asked.items():
        try:
            if answer in done:
                views.append(NodeView(name, **ray.get(answer)))
            else:
                ray.cancel(answer, force=True)
                views.append(NodeView(name, failure=f"nothing started within {START_SECONDS:g} seconds"))
        except ray.exceptions.RayError as error:
            views.append(NodeView(name, failure=" ".join(str(error).split())[:300]))
    return views


def faults(views: Sequence[NodeView], here: Mapping[str, str | None], *, is_shipped: bool) -> list[str]:
    """Return what keeps a search from running on the nodes, a line for each fault.

    Args:
        views: What the nodes see.
        here: Versions on the driver's side.
        is_shipped: Whether they were sent the package of this side.
    """
    lines, advice = [], "" if is_shipped else "; install it there, or ship it (--ship)"
    for view in views:
        if view.failure is not None:
            lines.append(f"a worker could not start on node {view.node}: {view.failure}")
        elif view.import_error is not None:
            lines.append(f"fusearch cannot be imported on node {view.node}: {view.import_error}{advice}")
        elif view.versions is not None and view.versions["fusearch"] != here["fusearch"]:
            lines.append(f"fusearch is {view.versions['fusearch']} on node {view.node} and {here['fusearch']} here{advice}")
        folders = sorted({str(Path(file).parent) for file in view.unseen})
        lines += [f"node {view.node} does not see {folder}: share the folder between the nodes" for folder in folders]
    return lines


def differences(views: Sequence[NodeView], here: Mapping[str, str | None]) -> list[str]:
    """Return where versions of other packages differ between the nodes and here, a line for each."""
    return [
        f"{name} is {found or 'not installed'} on node {view.node} and {here[name] or 'not installed'} here: results may differ"
        for view in views
        for name, found in (view.versions or {}).items()
        if name != "fusearch" and found != here.get(name)
    ]


def _name(node: Mapping[str, Any]) -> str:
    """Name a node as people know it: the name that it was given, else host and address."""
    address, given = node["NodeManagerAddress"], node.get("NodeName")
    return str(given) if given and given != address else f"{node['NodeManagerHostname']} ({address})"
