"""The search space in docs/search.md is one that the command takes."""

import re
from pathlib import Path

from fusearch.cli.composition import compose_space
from fusearch.data import Dataset

PAGE = Path(__file__).parent.parent.parent / "docs" / "search.md"


def test_the_space_of_the_page_is_legal(tmp_path: Path) -> None:
    import numpy as np

    block = re.search(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None
    file = tmp_path / "space.yaml"
    file.write_text(block[1], encoding="utf-8")
    values = {"rna": np.random.default_rng(0).normal(size=(20, 5)), "cxr": np.random.default_rng(1).normal(size=(20, 1, 8, 8))}
    data = Dataset.from_arrays("toy", modalities=values, targets=np.arange(20) % 2)
    space = compose_space(data, (), file=file)
    assert space.settings.max_fusions == 4
    assert space.settings.auxiliary
    assert space.sample(np.random.default_rng(0)).graph.digest
