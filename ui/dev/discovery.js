/** A search for devices in the made-up home: a second for each source; an empty home finds none. */

const FOUND = [
  {
    source: "shelly",
    name: "Living room",
    model: "Shelly Plus Plug S",
    where: "192.168.1.34",
    note: null,
    channels: [{ address: "shellyplusplugs-a8032ab63184/0", meter: null }],
    adoptable: true,
    config: "",
  },
  {
    source: "mcee_serial",
    name: "Mains",
    model: "MCEE",
    where: "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0",
    note: null,
    channels: [{ address: "mcee", meter: null }],
    adoptable: false,
    config:
      '[source.mcee_serial]\nport = "/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0"\n\n' +
      '[meter.mains-2]\nname = "Mains"\nsource = "mcee_serial"\naddress = "mcee"\n',
  },
  {
    source: "kasa",
    name: "Desk strip",
    model: "KP303",
    where: "192.168.1.51",
    note: null,
    channels: ["50C7BF-1", "50C7BF-2", "50C7BF-3"].map((address) => ({
      address,
      meter: address === "50C7BF-1" ? "desk" : null,
    })),
    adoptable: true,
    config: "",
  },
  {
    source: "kasa",
    name: null,
    model: "P110",
    where: "192.168.1.52",
    note: "wants the account's user and password: put them into credentials_file",
    channels: [],
    adoptable: false,
    config: '[source.kasa]\nhosts = ["192.168.1.51", "192.168.1.52"]\n',
  },
  {
    source: "tasmota",
    name: "Television",
    model: "Gosund SP111",
    where: "tasmota_4F21A8",
    note: null,
    channels: [{ address: "tasmota_4F21A8", meter: "television" }],
    adoptable: true,
    config: "",
  },
];
const SOURCES = ["ecms_udp", "kasa", "mcee_serial", "shelly", "tasmota"];
const NEVER = { running: false, started: null, finished: null, waiting: [], found: [], failed: [] };

/** `tell` is told of each change, `now` gives the home's time; `post` begins a search, `state` says how it goes. */
export function searching({ empty, now, tell }) {
  let state = NEVER;

  function change(next) {
    state = { ...state, ...next };
    tell("discovery", state);
  }

  function answered(source) {
    const waiting = state.waiting.filter((name) => name !== source);
    const found = empty ? [] : FOUND.filter((each) => each.source === source);
    const why = "its devices are found on an MQTT broker, and the config names none";
    const failed = source === "tasmota" && empty ? [{ source, why }] : [];
    const ended = waiting.length === 0 ? { running: false, finished: new Date(now()).toISOString() } : {};
    change({ waiting, found: [...state.found, ...found], failed, ...ended });
  }

  function post() {
    if (state.running) return;
    change({ ...NEVER, running: true, started: new Date(now()).toISOString(), waiting: SOURCES });
    SOURCES.forEach((source, index) => setTimeout(() => answered(source), (index + 1) * 1_000));
  }

  return { post, state: () => state };
}
