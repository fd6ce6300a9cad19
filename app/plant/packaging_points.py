"""What the packaging machines of Line 4 offer over OPC UA, with ISA-5.1 style names."""

from app.plant.capper import HEADS
from app.plant.filler import VALVES
from app.plant.points import FAST_MS, MEDIUM_MS, Place, Point, PointType
from app.plant.states import MachineState, ValveState

T = PointType
LINE4 = Place(("Plant1", "Packaging", "Line4"), "Line4", "")


def motor_points(place: Place) -> list[Point]:
    """The motor of any machine; `place.source` is a drive."""
    p = place.point
    return [
        p("Speed", T.INT16, "speed_rpm", "Motor speed", unit="RPM", span=(0, 1500), update_ms=MEDIUM_MS),
        p("Current", T.FLOAT, "current_a", "Motor current", unit="AMP", span=(0, 25), update_ms=MEDIUM_MS),
        p("Torque", T.FLOAT, "torque_percent", "Torque of rated", unit="P1", span=(-200, 200), update_ms=MEDIUM_MS),
        p("Power", T.FLOAT, "power_kw", "Electrical power, negative while braking", unit="KWT", span=(-10, 20)),
        p("Temperature", T.FLOAT, "motor_temperature_c", "Winding temperature", unit="CEL", span=(0, 155)),
        p("Vibration", T.FLOAT, "vibration_mm_s", "Bearing vibration, velocity", unit="C16", span=(0, 20),
          update_ms=FAST_MS),
    ]  # fmt: skip


def _state_points(place: Place) -> list[Point]:
    p = place.point
    return [
        p("State", T.ENUMERATION, "state", "State of the machine", members=MachineState, update_ms=MEDIUM_MS),
        p("Running", T.BOOLEAN, "running", "The machine moves", update_ms=MEDIUM_MS),
        p("Jam", T.BOOLEAN, "jam", "Jam alarm", update_ms=MEDIUM_MS),
    ]


def filler_points(place: Place) -> list[Point]:
    """One rotary filler with its valves."""
    p = place.point
    points = [
        p("FT-101.PV", T.FLOAT, "flow_measured_lpm", "Product flow to the filler", unit="L2", span=(0, 150),
          update_ms=FAST_MS),
        p("PT-102.PV", T.FLOAT, "bowl_pressure_bar", "Pressure in the filler bowl", unit="BAR", span=(0, 6),
          update_ms=MEDIUM_MS),
        p("LT-103.PV", T.FLOAT, "bowl_level_percent", "Level in the filler bowl", unit="P1", span=(0, 100),
          update_ms=MEDIUM_MS),
        p("TT-104.PV", T.DOUBLE, "product_f", "Product temperature at the filler (US transmitter)", unit="FAH",
          span=(32, 248)),
        p("SC-105.SP", T.FLOAT, "speed_setpoint_bph", "Speed setpoint, bottles per hour", unit="H10",
          span=(0, 15000), update_ms=MEDIUM_MS, writable=True),
        p("SC-105.PV", T.FLOAT, "speed_bph", "Actual speed, bottles per hour", unit="H10", span=(0, 15000),
          update_ms=FAST_MS, digits=1),
        p("BottleCount", T.UINT32, "bottles", "Bottles filled since the counter was reset", update_ms=MEDIUM_MS),
        p("RejectCount", T.UINT32, "rejects", "Bottles refused for their fill volume", update_ms=MEDIUM_MS),
        p("RejectRate", T.FLOAT, "reject_percent", "Share of refused bottles", unit="P1", span=(0, 100), digits=4),
        p("LastFillVolume", T.DOUBLE, "last_fill_ml", "Volume of the last bottle", unit="MLT", span=(450, 550),
          update_ms=MEDIUM_MS),
        p("FillVolumes", T.DOUBLE, "fills_ml", "Volumes of the last eight bottles", unit="MLT", array=True),
        p("LastBottle", T.STRUCTURE, "last_bottle", "Record of the last bottle"),
        p("ActiveRecipe", T.STRING, "recipe", "Recipe in use"),
        *_state_points(place),
        *motor_points(place.part("Motor", "drive")),
    ]  # fmt: skip
    valves = place.part("Valves")
    for number in range(VALVES):
        points += _valve_points(valves.part(f"Valve{number + 1:02d}", f"valves.{number}"))
    return points


def _valve_points(place: Place) -> list[Point]:
    p = place.point
    return [
        p("State", T.ENUMERATION, "state", "Feedback of the valve", members=ValveState, update_ms=FAST_MS),
        p("Position", T.BYTE, "position_percent", "Position of the valve", unit="P1", span=(0, 100), update_ms=FAST_MS),
        p("Cycles", T.UINT32, "cycles", "Openings since the last service"),
        p("FillTime", T.UINT16, "fill_time_ms", "Opening time of the last fill", unit="C26", span=(0, 20000)),
    ]


def capper_points(place: Place) -> list[Point]:
    """One rotary capper with its closure heads."""
    p = place.point
    points = [
        p("WT-201.PV", T.FLOAT, "torque_nm", "Torque of the last cap", unit="NU", span=(0, 5), update_ms=FAST_MS),
        p("WT-201.SP", T.FLOAT, "torque_setpoint_nm", "Torque setpoint", unit="NU", span=(0, 5), writable=True,
          update_ms=MEDIUM_MS),
        p("SC-202.PV", T.FLOAT, "speed_bph", "Actual speed, caps per hour", unit="H10", span=(0, 15000),
          update_ms=MEDIUM_MS, digits=1),
        p("LT-203.PV", T.FLOAT, "hopper_percent", "Level in the cap hopper", unit="P1", span=(0, 100)),
        p("CapCount", T.UINT32, "caps", "Caps screwed on since the counter was reset", update_ms=MEDIUM_MS),
        p("RejectCount", T.UINT32, "rejects", "Caps refused for their torque", update_ms=MEDIUM_MS),
        p("RejectRate", T.FLOAT, "reject_percent", "Share of refused caps", unit="P1", span=(0, 100), digits=4),
        p("Torques", T.FLOAT, "torques_nm", "Torques of the last twelve caps", unit="NU", array=True),
        *_state_points(place),
        *motor_points(place.part("Motor", "drive")),
    ]  # fmt: skip
    heads = place.part("Heads")
    for number in range(HEADS):
        head = heads.part(f"Head{number + 1:02d}", f"heads.{number}")
        broken = place.folder[-1] == "Capper2" and number == HEADS - 1
        points += _head_points(head, "BadNotConnected" if broken else "Good")
    return points


def _head_points(place: Place, torque_status: str) -> list[Point]:
    p = place.point
    return [
        p("Torque", T.FLOAT, "torque_nm", "Torque of this head's last cap", unit="NU", span=(0, 5),
          update_ms=MEDIUM_MS, status=torque_status),
        p("Caps", T.UINT32, "caps", "Caps screwed on by this head"),
        p("Wear", T.BYTE, "wear_percent", "Wear of the clutch", unit="P1", span=(0, 100)),
    ]  # fmt: skip


def conveyor_points(place: Place) -> list[Point]:
    """One belt with its frequency converter."""
    p = place.point
    drive = place.part("Drive", "drive")
    d = drive.point
    return [
        p("ST-401.PV", T.FLOAT, "speed_measured_mps", "Belt speed", unit="MTS", span=(0, 1.5), update_ms=FAST_MS,
          digits=4),
        p("ST-401.SP", T.FLOAT, "speed_setpoint_mps", "Belt speed setpoint", unit="MTS", span=(0, 1.5),
          writable=True, update_ms=MEDIUM_MS),
        p("Accumulation", T.FLOAT, "accumulation_percent", "How full the belt is", unit="P1", span=(0, 100), digits=2),
        p("BottlesOnBelt", T.INT32, "bottles_on_belt", "Bottles on the belt", update_ms=MEDIUM_MS),
        p("PhotoEyes", T.BOOLEAN, "eyes", "Photo eyes along the belt, true where covered", array=True,
          update_ms=MEDIUM_MS),
        p("Distance", T.DOUBLE, "distance_m", "Distance run since power-up", unit="MTR", digits=2),
        *_state_points(place),
        *motor_points(place.part("Motor", "drive")),
        d("StatusWord", T.UINT16, "status_word", "Status word, bits as in CiA 402", update_ms=MEDIUM_MS),
        d("OutputFrequency", T.FLOAT, "output_hz", "Output frequency", unit="HTZ", span=(0, 60), update_ms=MEDIUM_MS),
        d("DcBusVoltage", T.FLOAT, "dc_bus_v", "DC bus voltage", unit="VLT", span=(0, 800), digits=1),
        d("Position", T.INT64, "position_counts", "Encoder position in counts", update_ms=MEDIUM_MS),
        d("RunningHours", T.DOUBLE, "running_hours", "Hours with the motor turning", unit="HUR", digits=4),
    ]  # fmt: skip


def labeller_points(place: Place) -> list[Point]:
    """The labeller with printer and camera."""
    p = place.point
    camera = place.part("Camera")
    c = camera.point
    return [
        p("SC-501.PV", T.FLOAT, "speed_bph", "Actual speed, bottles per hour", unit="H10", span=(0, 30000),
          update_ms=MEDIUM_MS, digits=1),
        p("NT-502.PV", T.FLOAT, "web_tension_n", "Tension of the label web", unit="NEW", span=(0, 50),
          update_ms=MEDIUM_MS),
        p("TT-503.PV", T.DOUBLE, "glue_c", "Temperature of the hot glue", unit="CEL", span=(0, 220)),
        p("GlueHeating", T.BOOLEAN, "glue_heating", "Heater of the glue pot"),
        p("LabelCount", T.UINT64, "labels", "Labels applied since commissioning", update_ms=MEDIUM_MS),
        p("LabelsRemaining", T.INT32, "labels_remaining", "Labels left on the roll", update_ms=MEDIUM_MS),
        p("LotCode", T.STRING, "lot_code", "Lot code that is being printed"),
        p("JobId", T.GUID, "job_id", "Print job"),
        *_state_points(place),
        *motor_points(place.part("Motor", "drive")),
        c("ReadRate", T.FLOAT, "read_rate_percent", "Share of codes read", unit="P1", span=(0, 100),
          status_source="camera_status"),
        c("Temperature", T.FLOAT, "camera_c", "Temperature of the camera", unit="CEL", span=(0, 80),
          status_source="camera_status"),
        c("LastCode", T.BYTE_STRING, "last_code", "Bytes read from the last label", status_source="camera_status"),
    ]  # fmt: skip


def line_points(place: Place) -> list[Point]:
    """The line as a whole: order, counters, alarms."""
    p = place.point
    a = place.part("Alarms", "stoppages").point
    return [
        p("State", T.ENUMERATION, "state", "State of the line", members=MachineState, update_ms=MEDIUM_MS),
        p("Run", T.BOOLEAN, "run", "Start (true) or stop (false) the line", writable=True, update_ms=MEDIUM_MS),
        p("Speed", T.FLOAT, "speed_bph", "Speed of both fillers", unit="H10", span=(0, 30000), digits=1),
        p("GoodBottles", T.UINT64, "good_bottles", "Good bottles of this order", update_ms=MEDIUM_MS),
        p("Rejects", T.UINT32, "rejects", "Refused bottles of all machines"),
        p("Quality", T.DOUBLE, "quality_percent", "Share of good bottles", unit="P1", span=(0, 100), digits=4),
        p("Order", T.INT64, "", "Number of the production order", constant=4_500_118_832_907),
        p("Product", T.LOCALIZED_TEXT, "", "Product of the order", constant="Still water 0.5 l"),
        p("OrderStarted", T.DATE_TIME, "started", "Start of the order"),
        p("LastPrint", T.DATE_TIME, "last_print", "When the last code was printed", update_ms=MEDIUM_MS),
        p("Shift", T.STRING, "shift", "Shift by the hour in UTC"),
        p("Heartbeat", T.UINT16, "heartbeat", "Counts seconds and wraps at 65536"),
        a("Word", T.UINT16, "alarm_word", "One bit per alarm", update_ms=MEDIUM_MS),
        a("Text", T.LOCALIZED_TEXT, "alarm_text", "Text of the standing alarm", update_ms=MEDIUM_MS),
        a("Display", T.STRING, "alarm_texts", "Standing and previous alarm", array=True),
        a("Count", T.UINT16, "count", "Stops since the order was started"),
        a("StoppedTime", T.DOUBLE, "stopped_s", "Time stood still", unit="SEC", digits=1),
    ]


def packaging_points() -> list[Point]:
    """Everything of Line 4."""
    points = line_points(LINE4)
    for number in (1, 2):
        points += filler_points(LINE4.part(f"Filler{number}", f"filler{number}"))
        points += capper_points(LINE4.part(f"Capper{number}", f"capper{number}"))
    for number in (1, 2, 3):
        points += conveyor_points(LINE4.part(f"Conveyor{number}", f"conveyor{number}"))
    return points + labeller_points(LINE4.part("Labeller1", "labeller"))
