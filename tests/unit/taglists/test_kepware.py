from __future__ import annotations

from app.taglists.base import TagList
from app.taglists.reading import read_source
from tests.unit.taglists.lists import OPCUA, modbus, read_text

HEADING = (
    '"Tag Name","Address","Data Type","Respect Data Type","Client Access","Scan Rate","Scaling","Raw Low","Raw High",'
    '"Scaled Low","Scaled High",'
    '"Scaled Data Type","Clamp Low","Clamp High","Eng Units","Description","Negate Value"\n'
)
NONE = ',"","","","","","","","","","",""'


def rows(*texts: str) -> TagList:
    return read_text(HEADING + "".join(text + "\n" for text in texts), modbus())


def tag(name: str, address: str, type_: str, access: str = "RO") -> str:
    return f'"{name}","{address}","{type_}",1,"{access}",100{NONE}'


def test_that_the_form_is_known_by_its_heading_even_below_comments() -> None:
    assert read_source((";exported\n" + HEADING + tag("A", "400001", "Word")).encode(), "tags.csv").form.key == "kepware"


def test_that_addresses_types_bits_texts_and_arrays_are_read() -> None:
    found = rows(
        tag("Run", "000001", "Boolean", "R/W"), tag("Alarm", "400440.5", "Boolean"), tag("Speed", "400001", "Word", "R/W"), tag("Level",
        "300011", "Float"),
        tag("Total", "400011", "DWord"), tag("Code", "400021", "LBCD"), tag("Name", "400201.20H", "String"), tag("Swap", "400301.8L",
        "String"),
        tag("Curve", "400401 [3]", "Float Array"), tag("Five", "40007", "Short"),
    )  # fmt: skip
    assert found.problems == []
    assert [(row.tag.name, row.tag.address, row.tag.access) for row in found.good if row.tag] == [
        ("Run", "coil:0", "rw"), ("Alarm", "holding:439.5", "r"), ("Speed", "holding:0", "rw"), ("Level", "input:10:float32", "r"),
        ("Total", "holding:10:uint32", "r"), ("Code", "holding:20:bcd32", "r"), ("Name", "holding:200:str20", "r"), ("Swap",
        "holding:300:str8:BADC", "r"),
        ("Curve[0]", "holding:400:float32", "r"), ("Curve[1]", "holding:402:float32", "r"), ("Curve[2]", "holding:404:float32", "r"),
        ("Five", "holding:6:int16", "r"),
    ]  # fmt: skip


def test_that_linear_scaling_becomes_gain_and_offset_and_a_square_root_is_told() -> None:
    found = rows(
        '"T","400001","Word",1,"RO",100,"Linear",0,4000,-50,150,"Float",0,0,"°C","Outside",0',
        '"N","400002","Word",1,"RO",100,"Linear",0,100,0,10,"Float",0,0,"","",1',
        '"F","400003","Word",1,"RO",100,"Square Root",0,4095,0,100,"Float",0,0,"m³/h","",0',
        '"X","400004","Word",1,"RO",100,"Linear",5,5,0,1,"Float",0,0,"","",0',
    )
    temperature, negated, root = (row.tag for row in found.good)
    assert temperature is not None
    assert (temperature.gain, temperature.offset, temperature.low, temperature.high, temperature.unit) == (0.05, -50.0, -50.0, 150.0, "CEL")
    assert temperature.description == "Outside"
    assert negated is not None
    assert (negated.gain, negated.offset, negated.low, negated.high) == (-0.1, 0.0, -10.0, 0.0)
    assert root is not None
    assert (root.gain, root.unit) == (1.0, "")
    assert "square-root" in found.good[2].marks[0]
    assert [problem.what for problem in found.problems] == ["Incomplete scaling"]


def test_that_addresses_of_other_drivers_are_problems_of_their_rows() -> None:
    found = rows(
        tag("A", "DB1,REAL4", "Float"), tag("B", "ns=2;s=Line.Flow", "Float"), tag("C", "N7:0", "Short"), tag("D", "400001", "Word")
    )
    assert len(found.good) == 1
    assert {problem.what for problem in found.problems} == {"Not a Modbus address"}
    assert "another driver" in found.problems[0].why


def test_that_beyond_the_last_register_and_unknown_types_are_problems() -> None:
    found = rows(
        tag("A", "400000", "Word"),
        tag("B", "465536", "DWord"),
        tag("C", "400001", "Blob"),
        tag("D", "465535[2]", "DWord"),
        tag("E", "400009", "String"),
    )
    assert found.good == [] or [row.tag.name for row in found.good if row.tag] == ["D[0]"]
    assert len(found.problems) == 5


def test_that_at_an_opc_ua_endpoint_addresses_are_nodes() -> None:
    found = read_text(HEADING + tag("A", "ns=1;s=Flow", "Float"), OPCUA)
    assert [row.tag.address for row in found.good if row.tag] == ["nsu=urn:plant;s=Flow"] or found.problems
