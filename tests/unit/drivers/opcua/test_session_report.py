from app.drivers.opcua.session_report import application, offer_report
from tests.unit.drivers.opcua.descriptions import URL, endpoint, ua


def test_that_a_server_is_reported_from_its_own_descriptions() -> None:
    told = endpoint(url="opc.tcp://plc7:4840")
    told.Server.ApplicationName = ua.LocalizedText("Press 7 \udcff")
    told.Server.ApplicationUri, told.Server.ProductUri = "urn:press:7", "urn:maker:plc"
    report = offer_report(URL, [told, endpoint()], 0.25)
    assert (report.title, report.application_uri, report.product) == ("Press 7 ?", "urn:press:7", "urn:maker:plc")
    assert (report.url, report.round_trip_s, len(report.offered)) == (URL, 0.25, 2)
    assert report.notes == ()
    assert offer_report("opc.tcp://10.9.9.9:4840", [told], 0.0).notes


def test_that_a_server_that_tells_nothing_is_still_a_server() -> None:
    assert application([]) == ("", "", "")
    assert offer_report(URL, [], 0.0).title == "OPC UA server"
