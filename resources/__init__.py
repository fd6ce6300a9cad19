"""Data files of the product, read with importlib.resources.

What the start of the window reads is found by ``FOLDER``: the import of importlib.resources takes as long as the reading.
"""

from pathlib import Path

FOLDER = Path(__file__).parent
