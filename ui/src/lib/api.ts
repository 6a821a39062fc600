/** The typed client of the service's HTTP API. Addresses are relative to the page. */

import type {
  Adoption,
  Correction,
  Discovery,
  Energy,
  Health,
  Meter,
  Readings,
  Repaired,
  Suspect,
} from "./types";

export const LIVE_URL = "api/v1/live";

/** An answer that was not a success; `parameter` names the field at fault, if any. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly detail: string,
    readonly parameter: string | null,
  ) {
    super(detail || title);
  }
}

async function problem(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as { title?: string; detail?: string; parameter?: string };
    return new ApiError(response.status, body.title ?? "", body.detail ?? "", body.parameter ?? null);
  } catch {
    return new ApiError(response.status, response.statusText, "", null);
  }
}

async function request<T>(url: string, init?: RequestInit): Promise<T> {
  const response = await fetch(url, init);
  if (!response.ok) throw await problem(response);
  return (await response.json()) as T;
}

function span(startMs: number, endMs: number): URLSearchParams {
  return new URLSearchParams({
    start: new Date(startMs).toISOString(),
    end: new Date(endMs).toISOString(),
  });
}

function meterUrl(slug: string): string {
  return `api/v1/meters/${encodeURIComponent(slug)}`;
}

export async function readings(
  slug: string,
  startMs: number,
  endMs: number,
  resolution: "1m" | "15m",
  signal?: AbortSignal,
): Promise<Readings> {
  const query = span(startMs, endMs);
  query.set("resolution", resolution);
  return request(`${meterUrl(slug)}/readings?${query.toString()}`, signal ? { signal } : undefined);
}

export async function energy(
  slug: string,
  startMs: number,
  endMs: number,
  bucket: "hour" | "day",
  signal?: AbortSignal,
): Promise<Energy> {
  const query = span(startMs, endMs);
  query.set("bucket", bucket);
  return request(`${meterUrl(slug)}/energy?${query.toString()}`, signal ? { signal } : undefined);
}

async function post<T>(url: string, body: unknown): Promise<T> {
  return request(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/** Makes a meter of a new device. Throws ApiError 409 when the slug or the device is taken. */
export async function adopt(adoption: Adoption): Promise<Meter> {
  return post("api/v1/meters", adoption);
}

/** What was set aside of a meter's readings; `older` says how many more were before these. */
export async function suspects(
  slug: string,
  startMs: number,
  endMs: number,
  signal?: AbortSignal,
): Promise<{ suspects: Suspect[]; older: number }> {
  const url = `${meterUrl(slug)}/suspects?${span(startMs, endMs).toString()}`;
  return request(url, signal ? { signal } : undefined);
}

/** The corrections of a meter that stand. */
export async function corrections(slug: string, signal?: AbortSignal): Promise<Correction[]> {
  const url = `${meterUrl(slug)}/corrections`;
  return (await request<{ corrections: Correction[] }>(url, signal ? { signal } : undefined)).corrections;
}

/** Counts the reading of an instant after all. Throws ApiError 409 when it is not set aside any more. */
export async function restore(slug: string, at: string): Promise<Repaired> {
  return post(`${meterUrl(slug)}/corrections`, { action: "restore", from: at });
}

/** Takes a correction back. Throws ApiError 404 when that was done already. */
export async function undoCorrection(slug: string, id: number): Promise<Repaired> {
  return post(`${meterUrl(slug)}/corrections/${String(id)}/undo`, {});
}

/** What was found by the search for devices that runs, or by the last one. */
export async function discovery(signal?: AbortSignal): Promise<Discovery> {
  return request("api/v1/discovery", signal ? { signal } : undefined);
}

/** Begins to look for devices; what is found comes as live events. */
export async function lookForDevices(timeoutS: number): Promise<Discovery> {
  return post("api/v1/discovery", { timeout_s: timeoutS });
}

/** The health document; a failing service answers 503 with the same document. */
export async function health(signal?: AbortSignal): Promise<Health> {
  const response = await fetch("healthz", signal ? { signal } : undefined);
  if (!response.ok && response.status !== 503) throw await problem(response);
  return (await response.json()) as Health;
}
