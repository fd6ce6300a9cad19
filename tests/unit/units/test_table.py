"""The frozen table itself: codes, unit ids, figures and symbols."""

import csv
import subprocess
import sys
from fractions import Fraction
from importlib.resources import files

import pytest

from app.errors import UserError
from app.units import Unit, codes, common, require, unit


def rows() -> list[dict[str, str]]:
    text = files("resources").joinpath("units.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_that_all_1827_codes_give_the_unit_id_that_the_opc_foundation_publishes() -> None:
    published = {row["code"]: int(row["unit_id"]) for row in rows()}
    assert len(published) == 1827
    assert {code: require(code).unit_id for code in codes()} == published


def test_that_the_file_is_sorted_by_code_with_unix_line_ends_and_no_code_twice() -> None:
    raw = files("resources").joinpath("units.csv").read_bytes()
    assert b"\r" not in raw
    assert raw.endswith(b"\n")
    listed = [row["code"] for row in rows()]
    assert listed == sorted(set(listed))


def test_that_every_factor_states_its_source_and_dimension_and_no_other_unit_claims_one() -> None:
    units = [require(code) for code in codes()]
    figured = [entry for entry in units if entry.multiplier is not None]
    assert [entry.code for entry in figured if not (entry.source and entry.dimension and entry.multiplier)] == []
    assert [entry.code for entry in units if entry.multiplier is None and (entry.source or entry.dimension)] == []
    assert len(figured) == 1586


def test_that_every_unit_has_a_symbol_without_typing_substitutes() -> None:
    for entry in map(require, codes()):
        assert entry.symbol == entry.symbol.strip() != "", entry.code
        assert not set("º\u2126\u00a0^*|") & set(entry.symbol), entry.code


@pytest.mark.parametrize(
    ("code", "symbol"),
    [
        ("CEL", "°C"), ("MQH", "m³/h"), ("NU", "N·m"), ("RPM", "r/min"), ("P1", "%"), ("KWH", "kWh"), ("KVA", "kVA"),
        ("PS", "psi"), ("4H", "µm"), ("OHM", "Ω"), ("L2", "l/min"), ("NX", "‰"), ("Q40", "Nm³/h"), ("MAR", "Mvar"),
        ("B35", "kg/l"), ("HN", "mmHg"), ("2P", "kB"), ("AMH", "Ah"), ("H10", "1/h"), ("C94", "1/min"),
    ],
)  # fmt: skip
def test_that_common_units_show_the_symbol_that_engineers_write(code: str, symbol: str) -> None:
    assert require(code).symbol == symbol


# Hand values. Sources: SI Brochure 9 (2019) tables 4 and 8; NIST SP 811 (2008) appendix B.8; NIST Handbook 44
# appendix C; ISO 80000-3; IEC 80000-13. Those marked * were wrong or missing in the joined reference data.
HAND: list[tuple[str, str]] = [
    ("TNE", "1000"),  # * tonne, joined to the short ton
    ("C26", "0.001"),  # * millisecond, joined to the decisecond
    ("NX", "0.001"),  # * per mille, joined to parts per trillion
    ("RPM", "1/60"),  # * 1500 r/min are 25 revolutions a second
    ("RPS", "1"),  # * was counted in radians
    ("M46", "1/60"),  # * was counted in radians
    ("K42", "9809.5"),  # * boiler horsepower, joined to brake horsepower; SP 811: 9.80950 E+03
    ("K43", "746"),  # * SP 811: 7.46 E+02
    ("HJ", "735.49875"),  # SP 811: 7.354988 E+02 = 75 kgf·m/s
    ("MON", "2629800"),  # * Rec 20: a twelfth of the Julian year; joined to the synodic month
    ("J63", "0.158987294928"),  # * barrel a second, joined to the bit
    ("BLD", "0.115627123584"),  # * US dry barrel, Handbook 44: 7056 in³
    ("35", "0.01"),  # * ml/(cm²·s), joined to ml/(cm²·min)
    ("A99", "1"),  # * bit; byte = 8 bit, IEC 80000-13
    ("AD", "8"),
    ("2P", "8000"),
    ("E64", "8192"),
    ("INH", "0.0254"),
    ("FOT", "0.3048"),
    ("LBR", "0.45359237"),
    ("GLL", "0.003785411784"),  # 231 in³
    ("GLI", "0.00454609"),
    ("FAH", "5/9"),
    ("BAR", "100000"),
    ("ATM", "101325"),
    ("KWH", "3600000"),
    ("BTU", "1055.05585262"),
    ("MIN", "60"),
    ("KNT", "1852/3600"),
    ("P1", "0.01"),
    ("59", "1e-6"),
    ("KMH", "1/3.6"),
]


@pytest.mark.parametrize(("code", "value"), HAND)
def test_that_a_factor_equals_its_published_definition_exactly(code: str, value: str) -> None:
    numerator, _, denominator = value.partition("/")
    assert require(code).multiplier == Fraction(numerator) / Fraction(denominator or 1)


def test_that_psi_is_a_pound_of_force_on_a_square_inch_in_every_reference() -> None:
    expected = Fraction("0.45359237") * Fraction("9.80665") / Fraction("0.0254") ** 2
    assert {require(code).multiplier for code in ("PS", "64", "80")} == {expected}


@pytest.mark.parametrize("code", ["Q30", "J18", "PLA", "NTU", "DBM", "5B", "ZZ"])
def test_that_a_scale_without_a_linear_relation_has_no_factor(code: str) -> None:
    assert require(code).multiplier is None


@pytest.mark.parametrize("code", ["", "XXX", "cel", "°C", "CEL "])
def test_that_only_exact_codes_name_a_unit_and_the_error_says_which_text_was_wrong(code: str) -> None:
    assert unit(code) is None
    with pytest.raises(UserError) as refused:
        require(code)
    assert refused.value.where == repr(code)
    assert "UNECE" in refused.value.why
    assert refused.value.fix


def test_that_the_common_units_are_an_ordered_choice_without_repetition() -> None:
    listed = common()
    assert [entry.common for entry in listed] == sorted({entry.common for entry in listed if entry.common})
    assert listed[0].code == "P1"
    assert {"CEL", "BAR", "MQH", "RPM", "KWH", "H87"} <= {entry.code for entry in listed}
    assert all(isinstance(entry, Unit) for entry in listed)


def test_that_importing_the_package_reads_no_table() -> None:
    program = (
        "import app.units.table as table; before = table._text.cache_info().currsize; "
        "table.unit('CEL'); print(before, table._text.cache_info().currsize, table._rows.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "0 1 0"
