"""Units of measure: UNECE Rec 20 codes, their symbols and spellings, and conversions as gain and offset."""

from app.units.conversion import (
    Affine,
    Compatibility,
    Verdict,
    compatibility,
    conversion,
    convertible,
    dimension_text,
)
from app.units.lookup import UNECE_NAMESPACE, find, from_opcua, recognise
from app.units.table import Unit, codes, common, require, unit

__all__ = [
    "UNECE_NAMESPACE",
    "Affine",
    "Compatibility",
    "Unit",
    "Verdict",
    "codes",
    "common",
    "compatibility",
    "conversion",
    "convertible",
    "dimension_text",
    "find",
    "from_opcua",
    "recognise",
    "require",
    "unit",
]
