// A value of an OPC UA subscription becomes a sample: BigInt for integers, Number for floats, quality and times as the server sent them.
const status = typeof msg.statusCode === "object" && msg.statusCode !== null ? msg.statusCode.value : 0x80000000;
const quality = Math.min(status >>> 30, 2);

// A proof of life: the server's own clock.
if (msg.watch !== undefined) {
    if (quality !== 0) return null;
    flow.set("alive_" + msg.watch.replaceAll("-", "_"), Date.now());
    return { tagloom: { watch: msg.watch } };
}
if (msg.source === undefined) return null;

const INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "enum"];
const isArray = msg.type.endsWith("[]");
const type = msg.type.replace(/\[\]$/, "");

// 64-bit integers arrive as [high word, low word].
function long(value) {
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return BigInt(value);
    const joined = (BigInt(value[0] >>> 0) << 32n) | BigInt(value[1] >>> 0);
    return type === "int64" ? BigInt.asIntN(64, joined) : joined;
}

// Milliseconds are all that a Date has.
function ns(time) {
    const milliseconds = time instanceof Date ? time.getTime() : Number(time);
    return Number.isFinite(milliseconds) ? BigInt(Math.trunc(milliseconds)) * 1000000n : null;
}

function one(value) {
    if (value === null || value === undefined) return null;
    if (type === "int64" || type === "uint64") return long(value);
    if (INTEGERS.includes(type)) return BigInt(value);
    if (type === "" && typeof value === "number" && Number.isInteger(value)) return BigInt(value);
    if (value instanceof Date) return value.toISOString();
    if (type === "guid") return String(value).toLowerCase();
    if (type === "bytes") return Buffer.from(value);
    if (typeof value === "object") return typeof value.text === "string" ? value.text : value.name ?? null; // LocalizedText, QualifiedName
    return value;
}

let value = msg.payload;
if (value !== null && value !== undefined) value = isArray ? Array.from(value, one) : one(value);
const sample = { value: value ?? null, quality: value === null || value === undefined ? 2 : quality, source_ns: ns(msg.sourceTimestamp), server_ns: ns(msg.serverTimestamp) };
return { tagloom: { samples: [[msg.source, sample]] } };
