// Carries out the steps on standard input with Segment's destinations for Dotdigital.
"use strict";

const { createRequire } = require("node:module");
const { join } = require("node:path");
const { readFileSync } = require("node:fs");

const packages = createRequire(join(process.argv[2], "package.json"));
const { Destination } = packages("@segment/actions-core");
const { settings, steps } = JSON.parse(readFileSync(0, "utf-8"));

// The destination for audiences refuses to start without it; only Dotdigital knows the real one.
process.env.DOTDIGITAL_AUDIENCES_PARTNER_SECRET = "none";

const destinations = new Map();

function destination(name) {
  if (!destinations.has(name)) {
    const definition = packages(
      `./node_modules/@segment/action-destinations/dist/destinations/${name}`,
    ).default;
    // The regions are a closed list, which the sandbox is not on.
    definition.authentication.fields.api_host.choices.push({
      value: settings.api_host,
      label: "sandbox",
    });
    destinations.set(name, new Destination(definition));
  }
  return destinations.get(name);
}

const calls = {
  testAuthentication: async (target) => (await target.testAuthentication(settings)) ?? null,
  action: (target, { action, payload }) =>
    target.executeAction(action, {
      event: { type: "track", event: action, properties: payload },
      mapping: payload,
      settings,
    }),
  choices: (target, { action, field }) =>
    target.executeDynamicField(action, field, { settings, payload: {} }),
  createAudience: (target, { name, visibility }) =>
    target.createAudience({ settings, audienceName: name, audienceSettings: { visibility } }),
  getAudience: (target, { id }) => target.getAudience({ settings, externalId: id }),
};

async function run() {
  const results = [];
  for (const step of steps) {
    try {
      results.push(await calls[step.call](destination(step.destination), step));
    } catch (error) {
      results.push({ error: error.message, status: error.response?.status ?? null });
    }
  }
  process.stdout.write(JSON.stringify(results));
}

run();
