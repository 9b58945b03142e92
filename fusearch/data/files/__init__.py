"""What stands in a file, read in one way by data sets and by the `predict.py` of a bundle, which carries this folder (decision 0092).

Needs numpy and pandas alone, and `fusearch.errors`.
"""
