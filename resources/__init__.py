"""Data files of the product, read with importlib.resources."""
