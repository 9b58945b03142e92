"""WHAT was learned: tables, figures, page. No torch, no ray."""
