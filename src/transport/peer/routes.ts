/** Which request on the members' port goes where. */
import type { Clock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import type { HashSource, LeaseSource, MembersSource } from "./contracts.ts";
import { type FallbackHandler, handleFallback } from "./handlers/fallback.ts";
import { handleHashKv, hashKvPath } from "./handlers/hash-kv.ts";
import { handleLeases, leasesInternalPath, leasesPath } from "./handlers/leases.ts";
import { handleMembers } from "./handlers/members.ts";
import { handlePipeline } from "./handlers/pipeline.ts";
import { handleProbing } from "./handlers/probing.ts";
import { SnapshotReceiver } from "./handlers/snapshot.ts";
import { handleStream, streamPrefix } from "./handlers/stream.ts";
import { handleVersion } from "./handlers/version.ts";
import type { Exchange } from "./http1/exchange.ts";
import type { PeerTransport } from "./peer-transport.ts";
import { pipelinePath } from "./pipeline.ts";
import { probingPath } from "./prober.ts";
import { snapshotPath } from "./snapshot/snapshot-sender.ts";

export interface PeerRoutesOptions {
  readonly transport: PeerTransport;
  readonly members: MembersSource;
  /** Without it `/leases` is not there. */
  readonly leases?: LeaseSource | undefined;
  /** Without it `/members/hashkv` is not there. */
  readonly hashes?: HashSource | undefined;
  /** Other paths; 404 without it. */
  readonly fallback?: FallbackHandler | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

export type PeerRoutes = (exchange: Exchange) => void;

/** Answers every exchange, in the end. A handler that fails is a bug of ours: 500, and the log says why. */
export function createPeerRoutes(options: PeerRoutesOptions): PeerRoutes {
  const { transport, clock, logger } = options;
  const pipelineLogger = logger.at("transport/peer/handlers/pipeline.ts");
  const streamLogger = logger.at("transport/peer/handlers/stream.ts");
  const hashLogger = logger.at("transport/peer/handlers/hash-kv.ts");
  const snapshots = new SnapshotReceiver(transport, clock, logger);
  const route = (exchange: Exchange): void | Promise<void> => {
    const { path } = exchange;
    if (transport.isStopped) return exchange.destroy();
    if (path === pipelinePath) return handlePipeline(transport, exchange, pipelineLogger);
    if (path.startsWith(streamPrefix)) return handleStream(transport, exchange, streamLogger);
    if (path === snapshotPath) return snapshots.handle(exchange);
    if (path === probingPath) return handleProbing(exchange, clock);
    if (path === "/members") return handleMembers(exchange, transport.local, options.members);
    if (path === "/version") return handleVersion(exchange, options.members);
    if (options.hashes !== undefined && path === hashKvPath) {
      const { local, limits } = transport;
      return handleHashKv(exchange, { source: options.hashes, local, limits, logger: hashLogger });
    }
    if (options.leases !== undefined && (path === leasesPath || path === leasesInternalPath)) {
      return handleLeases(exchange, { source: options.leases, clock, limits: transport.limits });
    }
    if (options.fallback !== undefined) return handleFallback(exchange, options.fallback);
    return exchange.refuse(404, "404 page not found");
  };
  return (exchange) => {
    const answered = route(exchange);
    answered?.catch((error: unknown) => {
      logger.error("a handler failed", {
        path: exchange.path,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
      exchange.refuse(500, "Internal Server Error");
    });
  };
}
