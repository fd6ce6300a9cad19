"""The one list of what the demo plant offers. Servers and tests are made from it, so nothing is written twice."""

from app.plant.modbus_map import Register, registers
from app.plant.packaging_points import packaging_points
from app.plant.plc_points import plc_points
from app.plant.points import Point
from app.plant.processing_points import processing_points

POINTS: tuple[Point, ...] = (*packaging_points(), *processing_points(), *plc_points())
REGISTERS: tuple[Register, ...] = tuple(registers())
