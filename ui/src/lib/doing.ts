/** What an appliance does, in words. */

import { strings } from "./strings";
import { moment } from "./time";
import type { Meter } from "./types";

/** The words for a meter's state; null where the power beside them says enough: off, standby, no state. */
export function doing(meter: Meter, nowMs: number, zone: string): string | null {
  if (meter.silent) return null;
  if (meter.state === "finished") return strings.doing.finished;
  if (meter.state !== "active" || meter.run === null) return null;
  const expected = meter.run.expected;
  if (expected === null) return strings.doing.since(moment(Date.parse(meter.run.start), nowMs, zone));
  const end = moment(Date.parse(expected.end.median), nowMs, zone);
  return expected.programme === null
    ? strings.doing.until(end)
    : strings.doing.untilAs(expected.programme, end);
}
