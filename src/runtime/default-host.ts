/**
 * The address under which others reach this machine: that of the interface with the default route. Linux only, as in
 * etcd; elsewhere, and without such a route, undefined.
 */
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

export function defaultHost(): string | undefined {
  try {
    const name = defaultInterface(readFileSync("/proc/net/route", "utf8"));
    const addresses = name === undefined ? [] : (networkInterfaces()[name] ?? []);
    return addresses.find((one) => one.family === "IPv4")?.address;
  } catch {
    return undefined; // no such file, or no right to read it: the same as no route
  }
}

/** The interface of the best default route in the text of /proc/net/route. */
export function defaultInterface(routes: string): string | undefined {
  let best: string | undefined;
  let bestMetric = Number.POSITIVE_INFINITY;
  for (const line of routes.split("\n").slice(1)) {
    const [name, destination, , flags, , , metric, mask] = line.trim().split(/\s+/);
    if (!name || destination !== "00000000" || mask !== "00000000") continue;
    const isUp = (Number.parseInt(flags ?? "0", 16) & 1) === 1;
    if (isUp && Number(metric) < bestMetric) {
      best = name;
      bestMetric = Number(metric);
    }
  }
  return best;
}
