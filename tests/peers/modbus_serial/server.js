// A modbus-serial device: `node server.js tcp PORT` or `node server.js rtu DEVICE BAUD`. Prints "ready" when it listens.
// Its registers follow the formula of tests/peers/foreign_modbus.py; units 1 to 3 answer.
"use strict";
const { ServerSerial, ServerTCP } = require("modbus-serial");

const [kind, place, baud] = process.argv.slice(2);

function checked(address, unit, value) {
    if (address >= 300) throw { modbusErrorCode: 2 };
    if (unit < 1 || unit > 3) throw { modbusErrorCode: 11 };
    return value;
}

const vector = {
    getCoil: (address, unit) => checked(address, unit, (address + unit) % 3 === 0),
    getDiscreteInput: (address, unit) => checked(address, unit, (address + unit) % 5 === 0),
    getHoldingRegister: (address, unit) => checked(address, unit, (address * 257 + unit) & 0xffff),
    getInputRegister: (address, unit) => checked(address, unit, (address * 263 + unit) & 0xffff),
};

if (kind === "tcp") {
    const server = new ServerTCP(vector, { host: "127.0.0.1", port: Number(place), unitID: 255 });
    server.on("initialized", () => console.log("ready"));
} else {
    const server = new ServerSerial(vector, { path: place, baudRate: Number(baud), parity: "even", unitID: 255 });
    server.on("initialized", () => console.log("ready"));
    server.on("open", () => console.log("ready"));
}
