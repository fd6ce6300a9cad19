// node-opcua's client crawls an address space, as often as it is told to. usage: node crawl.js URL ROOT
// Reads "names" or "values" from standard input, one per line; answers each with one line of JSON: nodes, CPU and wall seconds, digest.
"use strict";
const crypto = require("crypto");
const readline = require("readline");
const {
    AttributeIds,
    BrowseDirection,
    MessageSecurityMode,
    NodeClass,
    OPCUAClient,
    SecurityPolicy,
    StatusCodes,
} = require("node-opcua");

const [url, root] = process.argv.slice(2);
const TOGETHER = 500;
const IN_FLIGHT = 6;
const WORDS = { 11: "float64", 10: "float32", 6: "int32", 1: "bool", 12: "string", 290: "float64", 5: "uint16" };
const READ = [AttributeIds.DataType, AttributeIds.ValueRank, AttributeIds.Description, AttributeIds.Value];

// All parts, a few of them under way at once; answers in order.
async function pipelined(items, ask) {
    const parts = [];
    for (let start = 0; start < items.length; start += TOGETHER) parts.push(items.slice(start, start + TOGETHER));
    const answers = new Array(parts.length);
    let next = 0;
    const work = async () => {
        while (next < parts.length) {
            const mine = next++;
            answers[mine] = await ask(parts[mine]);
        }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
    return answers.flat();
}

async function browseAll(session, nodes) {
    return pipelined(nodes, async (part) => {
        const results = await session.browse(
            part.map((nodeId) => ({
                nodeId, browseDirection: BrowseDirection.Forward, referenceTypeId: "i=33", includeSubtypes: true, nodeClassMask: 0, resultMask: 63,
            })),
        );
        const found = [];
        for (let result of results) {
            const references = [...(result.references || [])];
            while (result.continuationPoint && result.continuationPoint.length) {
                result = await session.browseNext(result.continuationPoint, false);
                references.push(...(result.references || []));
            }
            found.push(references);
        }
        return found;
    });
}

async function crawl(session, want) {
    const seen = new Set([root]);
    const rows = [];
    let level = [root];
    while (level.length) {
        const following = [];
        for (const references of await browseAll(session, level)) {
            for (const reference of references) {
                const id = reference.nodeId.toString();
                if (seen.has(id)) continue;
                seen.add(id);
                following.push(reference.nodeId);
                rows.push({ id, nodeId: reference.nodeId, name: reference.browseName.name, display: reference.displayName.text, kind: reference.nodeClass });
            }
        }
        level = following;
    }
    if (want !== "values") return rows;
    const variables = rows.filter((row) => row.kind === NodeClass.Variable);
    for (const attributeId of READ) {
        const values = await pipelined(variables, (part) =>
            session.read(part.map(({ nodeId }) => ({ nodeId, attributeId }))),
        );
        variables.forEach((row, place) => { (row.read = row.read || []).push(values[place]); });
    }
    return rows;
}

function digest(rows) {
    const lines = rows.map((row) => {
        const shown = [row.id.replace(/^ns=\d+;/, ""), row.name, row.display, row.kind];
        if (row.read) {
            const [type, rank, description, value] = row.read;
            if (!value.statusCode.equals(StatusCodes.Good)) throw new Error(`not good: ${row.id}`);
            if (rank.value.value !== -1) throw new Error(`not a scalar: ${row.id}`);
            shown.push(WORDS[type.value.value.value], description.value.value.text || "", String(value.value.value));
        }
        return shown.join("|");
    });
    return crypto.createHash("sha256").update(lines.sort().join("\n")).digest("hex");
}

(async () => {
    const client = OPCUAClient.create({
        securityMode: MessageSecurityMode.None, securityPolicy: SecurityPolicy.None, endpointMustExist: false, keepSessionAlive: false,
        connectionStrategy: { maxRetry: 1 }, requestedSessionTimeout: 3600000,
    });
    await client.connect(url);
    const session = await client.createSession();
    console.log("ready");
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const cpu = process.cpuUsage();
        const begin = process.hrtime.bigint();
        const rows = await crawl(session, line.trim());
        const wall = Number(process.hrtime.bigint() - begin) / 1e9;
        const used = process.cpuUsage(cpu);
        console.log(JSON.stringify({ nodes: rows.length, cpu_s: (used.user + used.system) / 1e6, wall_s: wall, digest: digest(rows) }));
    }
    await session.close();
    await client.disconnect();
})().catch((error) => {
    console.error(error);
    process.exit(1);
});
