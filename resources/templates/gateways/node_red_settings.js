// Start with: npm install, then npm start. Secrets come from the environment or from a file named .env beside this one.
const fs = require("fs");
const path = require("path");

const file = path.join(__dirname, ".env");
if (fs.existsSync(file)) {
    for (const line of fs.readFileSync(file, "utf8").split(/\r?\n/)) {
        const found = /^\s*([A-Za-z_][A-Za-z0-9_]*)=(.*)$/.exec(line);
        if (found && process.env[found[1]] === undefined) process.env[found[1]] = found[2];
    }
}
for (const [name, value] of Object.entries({ MQTT_HOST: "localhost", MQTT_PORT: "1883", MQTT_USER: "", MQTT_PASSWORD: "" })) {
    if (process.env[name] === undefined) process.env[name] = value;
}

module.exports = {
    flowFile: "flows.json",
    credentialSecret: false, // flows_cred.json holds names of variables only, no secret
    uiHost: "127.0.0.1",
    uiPort: process.env.PORT || 1880,
    httpAdminRoot: process.env.NODE_RED_EDITOR === "on" ? "/" : false, // the editor has no log-in here
    telemetry: { enabled: false },
    functionExternalModules: false,
    externalModules: { autoInstall: false, palette: { allowInstall: false } },
    logging: { console: { level: "info", metrics: false, audit: false } },
};
