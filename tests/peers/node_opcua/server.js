// A node-opcua server with every companion NodeSet that the package carries, every policy and token, and values of every kind.
// usage: node server.js PORT PKI_FOLDER [standard]; prints "ready" when it listens. "standard" leaves the companion NodeSets out.
"use strict";
const path = require("path");
const {
    DataType,
    MessageSecurityMode,
    OPCUACertificateManager,
    OPCUAServer,
    SecurityPolicy,
    StatusCodes,
    Variant,
    VariantArrayType,
    makeApplicationUrn,
    nodesets,
} = require("node-opcua");

const [port, pki, which] = process.argv.slice(2);

const SCALARS = {
    Boolean: true, SByte: -5, Byte: 200, Int16: -30000, UInt16: 60000, Int32: -2000000000, UInt32: 4000000000, Int64: [0xffffffff, 0xfffffffa],
    UInt64: [2147483648, 0], Float: 1.5, Double: -2.25e100, String: "Größe", Guid: "72962B91-FA75-4AE6-8D28-B404DC7DAF63",
};

// One instance of every concrete object type of the companion specifications, with all that must hang below it.
function addInstances(space, own, folder) {
    let made = 0;
    for (const namespace of space.getNamespaceArray().slice(1)) {
        for (const type of namespace._objectTypeIterator()) {
            if (type.isAbstract) continue;
            try {
                type.instantiate({ browseName: `My${type.browseName.name}`, componentOf: folder, namespace: own });
                made += 1;
            } catch (error) {
                console.error(`${type.browseName}: ${error.message}`); // some types cannot be made without their own set-up
            }
        }
    }
    console.log(`instances ${made}`);
}

function addVariables(server) {
    const space = server.engine.addressSpace;
    const own = space.registerNamespace("urn:tagloom:proof");
    const folder = own.addFolder(space.rootFolder.objects, { browseName: "Proof" });
    for (const [name, value] of Object.entries(SCALARS)) {
        own.addVariable({
            componentOf: folder, browseName: name, nodeId: `s=${name}`, dataType: name,
            value: { dataType: DataType[name], arrayType: VariantArrayType.Scalar, value },
        });
    }
    own.addVariable({
        componentOf: folder, browseName: "When", nodeId: "s=When", dataType: "DateTime",
        value: { dataType: DataType.DateTime, value: new Date("2026-01-02T03:04:05.678Z") },
    });
    own.addVariable({
        componentOf: folder, browseName: "Array", nodeId: "s=Array", dataType: "Double", valueRank: 1, arrayDimensions: [3],
        value: { dataType: DataType.Double, arrayType: VariantArrayType.Array, value: new Float64Array([1, 2, 3]) },
    });
    own.addVariable({
        componentOf: folder, browseName: "Matrix", nodeId: "s=Matrix", dataType: "Int32", valueRank: 2, arrayDimensions: [2, 3],
        value: {
            dataType: DataType.Int32, arrayType: VariantArrayType.Matrix, dimensions: [2, 3], value: new Int32Array([1, 2, 3, 4, 5, 6]),
        },
    });
    let count = 0;
    const counter = own.addVariable({
        componentOf: folder, browseName: "Counter", nodeId: "s=Counter", dataType: "UInt32", value: { dataType: DataType.UInt32, value: 0 },
    });
    setInterval(() => counter.setValueFromSource(new Variant({ dataType: DataType.UInt32, value: ++count })), 100);
    const bad = own.addVariable({ componentOf: folder, browseName: "Bad", nodeId: "s=Bad", dataType: "Double" });
    bad.setValueFromSource({ dataType: DataType.Double, value: 0 }, StatusCodes.BadSensorFailure);
    if (which === "standard") return;
    addInstances(space, own, folder);
}

(async () => {
    const managers = {};
    for (const name of ["application", "user"]) {
        managers[name] = new OPCUACertificateManager({ rootFolder: path.join(pki, name), automaticallyAcceptUnknownCertificate: name === "user" });
        await managers[name].initialize();
    }
    const server = new OPCUAServer({
        port: Number(port),
        hostname: "127.0.0.1",
        allowAnonymous: true,
        nodeset_filename: which === "standard" ? [nodesets.standard] : Object.values(nodesets),
        serverCertificateManager: managers.application,
        userCertificateManager: managers.user,
        serverInfo: { applicationUri: makeApplicationUrn("localhost", "TagloomProof"), productUri: "urn:tagloom:proof" },
        buildInfo: { productName: "Tagloom proof", manufacturerName: "Tagloom", softwareVersion: "1.0", buildNumber: "1" },
        securityModes: [MessageSecurityMode.None, MessageSecurityMode.Sign, MessageSecurityMode.SignAndEncrypt],
        securityPolicies: [
            SecurityPolicy.None,
            SecurityPolicy.Basic256Sha256,
            SecurityPolicy.Aes128_Sha256_RsaOaep,
            SecurityPolicy.Aes256_Sha256_RsaPss,
        ],
        userManager: { isValidUser: (name, password) => name === "operator" && password === "proof-password" },
    });
    await server.initialize();
    addVariables(server);
    await server.start();
    console.log("ready");
})().catch((error) => {
    console.error(error);
    process.exit(1);
});
