/** GET /raft/probing: is anybody there, and what time is it? */
import type { Clock } from "../../../lib/clock.ts";
import type { Exchange } from "../http1/exchange.ts";

export function handleProbing(exchange: Exchange, clock: Clock): void {
  const now = new Date(clock.wallMs()).toISOString();
  exchange.respond(200, { "Content-Type": "text/plain; charset=utf-8" }, `{"OK":true,"Now":"${now}"}\n`);
}
