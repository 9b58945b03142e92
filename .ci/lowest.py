"""Print `name==version` for the lowest version of each dependency that pyproject.toml allows, torch left out.

torch is left out since older CPU builds are on no registry that CI reaches: constraints.txt pins the one that is tested.
"""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
extras = project["optional-dependencies"]
for requirement in sorted({*project["dependencies"], *extras["explain"], *extras["images"]}):
    name, version = re.match(r"([\w-]+)(?:\[\w+\])?>=([\d.]+)", requirement).groups()
    if name != "torch":
        print(f"{name}=={version}")
