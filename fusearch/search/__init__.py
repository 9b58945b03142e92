"""WHICH design next: samplers, searcher, scheduler, strategies, driver. Only this room imports ray."""
