"""`python -m fusearch` is `fusearch`, where the folder of scripts is not on the path."""

from __future__ import annotations

from fusearch.cli import main

if __name__ == "__main__":
    main()
