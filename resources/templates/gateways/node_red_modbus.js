// One request per block at its own rate; a block that has not been answered is not asked again before 30 s are over.
const blocks = JSON.parse(BLOCKS);
const waiting = new Map();
context.set("blocks", new Map(blocks.map((block) => [block.id, block])));
context.set("waiting", waiting);

function ask(block) {
    const now = Date.now();
    if (waiting.has(block.id) && now - waiting.get(block.id) < 30000) return;
    waiting.set(block.id, now);
    const payload = { value: 0, fc: block.fc, unitid: block.unitid, address: block.address, quantity: block.quantity };
    node.send([{ payload, block: block.id }, null]);
}

for (const block of blocks) {
    setTimeout(() => ask(block), 1500);
    setInterval(() => ask(block), block.interval_ms);
}
// --- on message ---
// The words of a block become samples. An order names the bytes of a 32-bit value as they lie in the registers:
// CDAB and DCBA reverse the words, BADC and DCBA swap the bytes of each word, whatever the width.
const block = context.get("blocks").get(msg.block);
if (block === undefined) return null;
context.get("waiting").delete(block.id);

const words = msg.payload;
if (!Array.isArray(words) || words.length < block.quantity) {
    const refused = { value: null, quality: 2, source_ns: null, server_ns: null };
    return [null, { tagloom: { samples: block.items.map((item) => [item.source, refused]) } }];
}

function bytesOf(item) {
    const part = words.slice(item.at, item.at + item.count);
    if (item.type !== "string" && (item.order === "CDAB" || item.order === "DCBA")) part.reverse();
    const bytes = Buffer.alloc(part.length * 2);
    const swapped = item.order === "BADC" || item.order === "DCBA";
    part.forEach((word, index) => (swapped ? bytes.writeUInt16LE(word, index * 2) : bytes.writeUInt16BE(word, index * 2)));
    return bytes;
}

// Up to the first NUL, without spaces at the end; Latin-1 where it is not UTF-8.
function text(bytes, length) {
    let kept = bytes.subarray(0, length);
    const end = kept.indexOf(0);
    if (end >= 0) kept = kept.subarray(0, end);
    const utf8 = kept.toString("utf8");
    return (utf8.includes("\uFFFD") ? kept.toString("latin1") : utf8).replace(/ +$/, "");
}

const READ = {
    int16: (bytes) => BigInt(bytes.readInt16BE()), uint16: (bytes) => BigInt(bytes.readUInt16BE()),
    int32: (bytes) => BigInt(bytes.readInt32BE()), uint32: (bytes) => BigInt(bytes.readUInt32BE()),
    int64: (bytes) => bytes.readBigInt64BE(), uint64: (bytes) => bytes.readBigUInt64BE(),
    float32: (bytes) => bytes.readFloatBE(), float64: (bytes) => bytes.readDoubleBE(),
};

function read(item) {
    if (block.bits) return Boolean(words[item.at]);
    const bytes = bytesOf(item);
    if (item.bit !== null) return ((bytes.readUInt16BE() >> item.bit) & 1) === 1;
    return item.type === "string" ? text(bytes, item.length) : READ[item.type](bytes);
}

const samples = block.items.map((item) => [item.source, { value: read(item), quality: 0, source_ns: null, server_ns: null }]);
return [null, { tagloom: { watch: block.id, samples } }];
