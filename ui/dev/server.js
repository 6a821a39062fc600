/**
 * A stand-in for the service, to develop the pages against: the API's shapes over a made-up home.
 *
 *   node dev/server.js [--port 8480] [--scenario demo|silent|device|trouble|empty|no-mains|aside] [--hour 19.5]
 *
 * It serves the built pages too; `npm run dev` reaches it through Vite's proxy. `--hour` moves
 * its clock to that hour of today.
 */

import { createReadStream, existsSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { parseArgs } from "node:util";

import { searching } from "./discovery.js";
import { energyWh, MAINS, METERS, minutes } from "./home.js";

const { values: options } = parseArgs({
  options: {
    port: { type: "string", default: "8480" },
    scenario: { type: "string", default: "demo" },
    hour: { type: "string" },
  },
});

const PAGES = new URL("../../src/casawatt/web/pages/", import.meta.url).pathname;
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const ZONE = "Europe/Rome";
const scenario = options.scenario;
const has = (name) => scenario === name || scenario === "all";

// The made-up home lives at UTC+1 all year, which is enough for pictures.
const midnight = () => Math.floor((Date.now() + 3_600_000) / 86_400_000) * 86_400_000 - 3_600_000;
const shift = options.hour ? midnight() + Number(options.hour) * 3_600_000 - Date.now() : 0;
const now = () => Date.now() + shift;

const known = scenario === "empty" ? [] : scenario === "no-mains" ? METERS.slice(0, 4) : [MAINS, ...METERS];
if (scenario === "no-mains") known.forEach((meter, row) => (known[row] = { ...meter, parent: null }));
const adopted = [];
let devices = has("device")
  ? [
      { source: "ecms_udp", address: "5c:cf:7f:01:02:03", power_w: null, current_a: 1.24, hint: "fridge" },
      { source: "tasmota", address: "tasmota_4F21A8", power_w: 38.2, current_a: 0.17, hint: null },
    ]
  : [];

const SILENT = "television";
const silentFrom = now() - 5.3 * 3_600_000;

// What is set aside and corrected, of the desk only.
const stamp = (hour) => new Date(midnight() + hour * 3_600_000).toISOString();
const aside = has("aside")
  ? [
      { at: stamp(7.251), cause: "power", energy_wh: 0, power_w: 812_345 },
      { at: stamp(9.1), cause: "jump", energy_wh: 60_000, register_wh: 101_200 },
      { at: stamp(9.1), cause: "power", energy_wh: 0, power_w: 61_000 },
      { at: stamp(9.2), cause: "jump", energy_wh: 4_200, charge_as: 1_234_567 },
    ]
  : [];
let corrections = has("aside")
  ? [
      {
        id: 1,
        action: "discard",
        from: stamp(6),
        to: stamp(6.5),
        made: stamp(8),
        note: "tried at a neighbour's",
      },
    ]
  : [];

function repair(request, response, slug, what, rest) {
  if (request.method === "GET") {
    const mine = slug === "desk" ? { suspects: aside, corrections } : { suspects: [], corrections: [] };
    return json(response, 200, { meter: slug, older: 0, [what]: mine[what] });
  }
  let text = "";
  request.on("data", (part) => (text += part));
  return request.on("end", () => {
    const days = [{ meter: slug, date: stamp(12).slice(0, 10), before_wh: 1212, after_wh: 61_212 }];
    if (rest[1] === "undo") {
      corrections = corrections.filter((each) => each.id !== Number(rest[0]));
      return json(response, 200, { correction: null, days: [] });
    }
    const { action, from } = JSON.parse(text);
    const to = new Date(Date.parse(from) + 1).toISOString();
    corrections = [...corrections, { id: corrections.length + 2, action, from, to, made: from, note: null }];
    aside.splice(0, aside.length, ...aside.filter((each) => each.at !== from));
    return json(response, 201, { correction: corrections.at(-1), days });
  });
}

function gapsOf(meter) {
  const gaps = [];
  if (has("silent") && meter.slug === SILENT) gaps.push([silentFrom, Infinity]);
  if (has("silent") && meter.slug === "desk")
    gaps.push([midnight() + 11.2 * 3_600_000, midnight() + 13.1 * 3_600_000]);
  return gaps;
}

/** A wash that goes on and a dishwasher that has finished. */
function doing(slug) {
  if (slug === "dishwasher") return { state: "finished", run: null };
  if (slug !== "washing-machine") return { state: slug === "mains" ? null : "standby", run: null };
  const at = (minutes) => new Date(now() + minutes * 60_000).toISOString();
  const end = { median: at(48), low: at(40), high: at(60) };
  const energy_wh = { median: 990, low: 950, high: 1010 };
  const expected = { programme: "Cotton 60", runs: 7, end, energy_wh, cost: null };
  return { state: "active", run: { start: at(-40), end: null, energy_wh: 620, expected } };
}

function meterObject(meter) {
  const silent = has("silent") && meter.slug === SILENT;
  const { wh, measuredMs } = energyWh(meter, midnight(), now(), gapsOf(meter));
  return {
    slug: meter.slug,
    name: meter.name,
    appliance: meter.appliance,
    parent: meter.parent,
    ...doing(meter.slug),
    power_w: meter.power ? Math.round(meter.power(silent ? silentFrom : now()) * 10) / 10 : null,
    at: new Date(silent ? silentFrom : now()).toISOString(),
    today_wh: wh,
    today_coverage: Math.min(1, measuredMs / (now() - midnight())),
    silent,
  };
}

const health = () => ({
  status: has("trouble") ? "degraded" : "ok",
  version: "0.1.0",
  demo: scenario === "demo",
  store: { trouble: has("trouble") ? "disk full since 14:02, 1,234 readings waiting in memory" : null },
  sources: has("trouble")
    ? [
        {
          name: "tasmota",
          state: "restarting",
          since: null,
          failures: 4,
          last_error: "broker at 192.168.1.10:1883 refused the connection",
        },
        { name: "ecms_udp", state: "running", since: null, failures: 0, last_error: null },
      ]
    : [],
});

const home = () => ({
  home: {
    name: "Via Garibaldi 12",
    timezone: ZONE,
    currency: "EUR",
    demo: ["demo", "all"].includes(scenario),
  },
  meters: known.map(meterObject),
  new_devices: devices.map((device) => ({ ...device, at: new Date(now() - 4_000).toISOString() })),
});

function json(response, status, body, type = "application/json") {
  response.writeHead(status, { "content-type": type });
  response.end(JSON.stringify(body));
}

function problem(response, status, title, detail, parameter) {
  json(
    response,
    status,
    { type: "about:blank", title, status, detail, parameter },
    "application/problem+json",
  );
}

const readers = new Set();
const tell = (event, data) => readers.forEach((send) => send(event, data));

function live(response) {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  const send = (event, data) => response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  readers.add(send);
  send("snapshot", home());
  const timer = setInterval(() => {
    for (const meter of known) if (!meterObject(meter).silent) send("meter", meterObject(meter));
  }, 1_000);
  response.on("close", () => {
    readers.delete(send);
    clearInterval(timer);
  });
}

function adopt(request, response) {
  let text = "";
  request.on("data", (part) => (text += part));
  request.on("end", () => {
    const wish = JSON.parse(text);
    if (known.some((meter) => meter.slug === wish.slug))
      return problem(response, 409, "Taken", `a meter named '${wish.slug}' exists already`, "slug");
    const meter = { ...wish, power: (t) => METERS[0].power(t + 900_000) };
    known.push(meter);
    adopted.push(meter);
    devices = devices.filter((device) => device.address !== wish.address);
    return json(response, 201, meterObject(meter));
  });
}

function series(url, response) {
  const [, , , , slug, what] = url.pathname.split("/");
  const meter = known.find((one) => one.slug === slug);
  if (!meter) return problem(response, 404, "Not found", `there is no meter '${slug}'`, "slug");
  const startMs = Date.parse(url.searchParams.get("start"));
  const endMs = Date.parse(url.searchParams.get("end"));
  const gaps = gapsOf(meter);
  if (what === "readings") {
    const resolution = url.searchParams.get("resolution");
    const step = resolution === "1m" ? 60_000 : 900_000;
    return json(response, 200, {
      meter: slug,
      resolution,
      ...minutes(meter, startMs, Math.min(endMs, now()), step, gaps),
    });
  }
  const buckets = [];
  for (let t = startMs; t < endMs; t += 3_600_000) {
    const { wh, measuredMs } = energyWh(meter, t, Math.min(t + 3_600_000, now()), gaps);
    buckets.push({
      start: new Date(t).toISOString(),
      end: new Date(t + 3_600_000).toISOString(),
      energy_wh: wh,
      measured_s: measuredMs / 1000,
      coverage: measuredMs / 3_600_000,
      max_w: null,
    });
  }
  return json(response, 200, { meter: slug, buckets, total: null });
}

function page(url, response) {
  const path = join(PAGES, normalize(url.pathname === "/" ? "/index.html" : url.pathname));
  if (!path.startsWith(PAGES) || !existsSync(path)) return problem(response, 404, "Not found", url.pathname);
  response.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream" });
  return createReadStream(path).pipe(response);
}

const search = searching({ empty: scenario === "empty", now, tell });

const server = createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname === "/healthz") return json(response, 200, health());
  if (url.pathname === "/api/v1/live") return live(response);
  if (url.pathname === "/api/v1/discovery") {
    if (request.method === "POST") search.post();
    return json(response, request.method === "POST" ? 202 : 200, search.state());
  }
  if (url.pathname === "/api/v1/meters")
    return request.method === "POST" ? adopt(request, response) : json(response, 200, home());
  const [, , , , slug, what, ...rest] = url.pathname.split("/");
  if (what === "suspects" || what === "corrections") return repair(request, response, slug, what, rest);
  if (url.pathname.startsWith("/api/v1/meters/")) return series(url, response);
  return page(url, response);
});

server.listen(Number(options.port), "127.0.0.1", () => {
  process.stdout.write(`listening on http://127.0.0.1:${server.address().port}\n`);
});
