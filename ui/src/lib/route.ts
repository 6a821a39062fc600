/** Where the page stands, kept in the address: `#/`, `#/2025-03-30`, `#/meter/fridge/2025-03-30`. */

import { SLUG } from "./slug";
import { isDate } from "./time";

export interface Route {
  /** The meter shown; null is the whole home. */
  slug: string | null;
  /** The local date shown; null is today, whichever that becomes. */
  date: string | null;
}

export function parseRoute(hash: string): Route {
  const parts = hash.replace(/^#?\/?/, "").split("/");
  const named = parts[0] === "meter" ? (parts[1] ?? "") : "";
  const slug = SLUG.test(named) ? named : null;
  const date = slug === null ? parts[0] : parts[2];
  return { slug, date: date !== undefined && isDate(date) ? date : null };
}

export function hrefOf(route: Route): string {
  const parts = route.slug === null ? [] : ["meter", route.slug];
  if (route.date !== null) parts.push(route.date);
  return `#/${parts.join("/")}`;
}
