/** The appliances a meter can name, and the drawing of each (24 x 24, strokes only). */

export const APPLIANCES = [
  "mains",
  "fridge",
  "freezer",
  "washing_machine",
  "dryer",
  "dishwasher",
  "oven",
  "microwave",
  "kettle",
  "coffee_machine",
  "air_conditioner",
  "heating",
  "water_heater",
  "computer",
  "tv",
  "light",
  "3d_printer",
  "router",
  "car_charger",
  "other",
] as const;

export type Appliance = (typeof APPLIANCES)[number];

const DRUM = "M5 3h14v18H5zM12 17.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM8 6h.01M11 6h2";
const COLD = "M6 3h12v18H6zM6 10h12M9 6v1.5M9 13v3";

export const DRAWINGS: Record<Appliance, string> = {
  mains: "M3 11.5 12 4l9 7.5M5.5 9.5V20h13V9.5M12.8 10.5 10.5 14h3l-2.3 3.5",
  fridge: COLD,
  freezer: "M12 3v18M4.2 7.5l15.6 9M19.8 7.5l-15.6 9M9.5 4.5 12 7l2.5-2.5M9.5 19.5 12 17l2.5 2.5",
  washing_machine: DRUM,
  dryer: "M5 3h14v18H5zM12 17.5a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM10 14c1-2 3 1 4-1M8 6h.01",
  dishwasher: "M5 3h14v18H5zM5 8h14M8 5.5h.01M8.5 18c0-3 1.2-5 3.5-5s3.5 2 3.5 5zM12 13v-2",
  oven: "M4 3h16v18H4zM4 8h16M7 11h10v7H7zM7.5 5.5h.01M12 5.5h.01M16.5 5.5h.01",
  microwave: "M3 6h18v12H3zM6 9h8v6H6zM17.5 9v.01M17.5 12v.01M17.5 15v.01",
  kettle: "M7 9h9l1.5 11h-12zM9 9c0-2 1-3 2.5-3S14 7 14 9M16 10c3-1 4 1 4 3s-1 3-3 3M11.5 6V4.5",
  coffee_machine: "M5 8h12v6a5 5 0 0 1-5 5h-2a5 5 0 0 1-5-5zM17 9.5h1a2.5 2.5 0 0 1 0 5h-1M9 3v2M13 3v2",
  air_conditioner: "M3 5h18v7H3zM6 9h12M7 15c0 2-1.5 2-1.5 4M12 15v4M17 15c0 2 1.5 2 1.5 4",
  heating: "M5 6v13M9.7 6v13M14.3 6v13M19 6v13M3.5 8.5h17M3.5 16.5h17",
  water_heater:
    "M7 3h10v15H7zM10 18v3M14 18v3M12 7c1.6 2 2.4 3 2.4 4.2a2.4 2.4 0 0 1-4.8 0C9.6 10 10.4 9 12 7z",
  computer: "M3 5h18v11H3zM9 20h6M12 16v4",
  tv: "M3 7h18v12H3zM8 3l4 4 4-4",
  light: "M9 18h6M10 21h4M8.5 15c0-2-2.5-3-2.5-6a6 6 0 0 1 12 0c0 3-2.5 4-2.5 6z",
  "3d_printer": "M4 3h16v18H4zM4 7h16M12 7v4M10.5 11h3M8 18h8M9.5 15.5h5",
  router: "M4 14h16v6H4zM8 14V8M16 14V8M7.5 17h.01M11 17h.01M9.5 5.5a3.5 3.5 0 0 1 5 0M12 8h.01",
  car_charger:
    "M4 21V5a2 2 0 0 1 2-2h5a2 2 0 0 1 2 2v16M3 21h11M13 12h2a2 2 0 0 1 2 2v2.5a1.7 1.7 0 0 0 3.4 0V9L17 6M9 7l-2 4h3l-2 4",
  other: "M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4",
};

/** The appliance that a word of the API or of a device's hint means; others are `other`. */
export function applianceOf(word: string | null): Appliance {
  const key = (word ?? "")
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, "_");
  return APPLIANCES.find((appliance) => appliance === key) ?? "other";
}
