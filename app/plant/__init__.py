"""The demo plant: a bottling line behind a real OPC UA server and a real Modbus TCP server, each its own process."""
