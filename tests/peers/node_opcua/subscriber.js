// node-opcua's client on a server that publishes. usage: node subscriber.js URL ITEMS INTERVAL_MS NUMBER…
// Watches ITEMS monitored items of the variables ns=2;i=NUMBER, over and over; prints every 250 ms how many values came and its CPU time.
// Values are taken where its client has just decoded them: its objects for monitored items would cost several times as much.
"use strict";
const { AttributeIds, ClientSubscription, CreateMonitoredItemsRequest, OPCUAClient, TimestampsToReturn } = require("node-opcua");

const [url, items, interval, ...numbers] = process.argv.slice(2);
const BATCH = 500;
let values = 0;
let sum = 0;

async function main() {
    const client = OPCUAClient.create({ endpointMustExist: false, connectionStrategy: { maxRetry: 0 } });
    await client.connect(url);
    const session = await client.createSession();
    const subscription = ClientSubscription.create(session, {
        requestedPublishingInterval: Number(interval), requestedLifetimeCount: 1000, requestedMaxKeepAliveCount: 50,
        maxNotificationsPerPublish: 10000, publishingEnabled: true, priority: 0,
    });
    await new Promise((resolve) => subscription.on("started", resolve));
    subscription.__on_publish_response_DataChangeNotification = (notification) => {
        for (const item of notification.monitoredItems || []) {
            values += 1;
            if (typeof item.value.value.value === "number") sum += item.value.value.value;
        }
    };
    for (let first = 0; first < Number(items); first += BATCH) {
        const itemsToCreate = [];
        for (let item = first; item < Math.min(first + BATCH, Number(items)); item++) {
            itemsToCreate.push({
                itemToMonitor: { nodeId: `ns=2;i=${numbers[item % numbers.length]}`, attributeId: AttributeIds.Value },
                monitoringMode: 2,
                requestedParameters: { clientHandle: item + 1, samplingInterval: Number(interval), queueSize: 10, discardOldest: true },
            });
        }
        const { subscriptionId } = subscription;
        const request = new CreateMonitoredItemsRequest({ subscriptionId, timestampsToReturn: TimestampsToReturn.Both, itemsToCreate });
        const answer = await session.createMonitoredItems(request);
        if (answer.results.some((result) => result.statusCode.value !== 0)) throw new Error("an item was refused");
    }
    console.log("watching");
    setInterval(() => {
        const { user, system } = process.cpuUsage();
        console.log(JSON.stringify({ values, sum, cpu_s: (user + system) / 1e6 }));
    }, 250);
}
main().catch((error) => {
    console.error(error);
    process.exit(1);
});
