/** The watches of all clients. */
import type { Metadata } from "../../../transport/grpc.ts";
import type { Field } from "../../../transport/hpack/encoder.ts";
import type { Namespace } from "../namespace/namespace.ts";
import { event } from "../namespace/shapes.ts";
import type { ProxyMetrics } from "../proxy-metrics.ts";
import type { Upstream } from "../upstream.ts";
import type { Receiver } from "./receiver.ts";
import { type GroupOptions, groupName, WatchGroup } from "./watch-group.ts";
import { WatchSession } from "./watch-session.ts";

export interface WatchHubOptions {
  readonly upstream: Upstream;
  readonly namespace: Namespace | undefined;
  readonly metrics: ProxyMetrics;
}

export class WatchHub {
  readonly upstream: Upstream;
  readonly namespace: Namespace | undefined;
  readonly metrics: ProxyMetrics;
  /** Takes the namespace off an event's keys. */
  readonly editEvent: ((bytes: Uint8Array) => Uint8Array) | undefined;
  readonly #groups = new Map<string, WatchGroup>();
  readonly #sessions = new Map<string, WatchSession>();

  constructor({ upstream, namespace, metrics }: WatchHubOptions) {
    this.upstream = upstream;
    this.namespace = namespace;
    this.metrics = metrics;
    this.editEvent = namespace && ((bytes) => namespace.edit(bytes, event));
  }

  /** Where the watches of a client belong, by what it shows. */
  sessionFor(metadata: Metadata): WatchSession {
    const fields = identityOf(metadata);
    const name = JSON.stringify(fields);
    let session = this.#sessions.get(name);
    if (session === undefined) {
      const requireLeader = metadata.get("hasleader") === "true";
      session = new WatchSession(this, { name, metadata: fields, requireLeader });
      this.#sessions.set(name, session);
    }
    return session;
  }

  forgetSession({ options: { name } }: WatchSession): void {
    this.#sessions.delete(name);
  }

  groupFor(options: GroupOptions): WatchGroup {
    const name = groupName(options);
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = new WatchGroup(this, name, options);
      this.#groups.set(name, group);
    }
    return group;
  }

  /** Gives a watch its events from its next revision on. */
  join(receiver: Receiver): void {
    // While it took nothing, its group may have been forgotten.
    receiver.group = this.groupFor(receiver.group.options);
    receiver.group.join(receiver);
  }

  forgetGroup(group: WatchGroup): void {
    if (this.#groups.get(group.name) === group) this.#groups.delete(group.name);
  }

  /** For tests: watches on servers, streams to servers. */
  get counts(): { readonly broadcasts: number; readonly sessions: number; readonly groups: number } {
    let broadcasts = 0;
    for (const group of this.#groups.values()) broadcasts += group.broadcasts.size;
    return { broadcasts, sessions: this.#sessions.size, groups: this.#groups.size };
  }
}

/** What of a client's metadata says who it is and what it wants of a stream. */
export function identityOf(metadata: Metadata): Field[] {
  const fields: Field[] = [["client-api-version", "3.7"]];
  for (const name of ["token", "authorization", "hasleader"]) {
    const value = metadata.get(name);
    if (value !== undefined) fields.push([name, value]);
  }
  return fields;
}
