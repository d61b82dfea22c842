/** A leader whose clock stood still sent no heartbeats meanwhile: its followers may have begun to look for another. */
import { formatGoDuration } from "../lib/go-duration.ts";
import type { EtcdServerParts } from "./server-parts.ts";

/** To be called in each tick of a leader, with how long ago the last one was. */
export function noticeLateHeartbeats(
  { settings, logger, metrics, cluster }: EtcdServerParts,
  sinceTickMs: number,
): void {
  const expectedMs = 2 * settings.tickMs;
  const others = cluster.members().length - 1;
  if (sinceTickMs <= expectedMs || others <= 0) return;
  metrics.heartbeatsLate.inc(others);
  logger.warn(
    "leader failed to send out heartbeat on time; took too long, leader is overloaded likely from slow disk",
    {
      "heartbeat-interval": formatGoDuration(settings.tickMs),
      "expected-duration": formatGoDuration(expectedMs),
      "exceeded-duration": formatGoDuration(sinceTickMs - expectedMs),
    },
  );
}
