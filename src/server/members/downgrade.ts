/**
 * Downgrades: a cluster is told that it is about to be taken down a minor version. Then its version and that of its data go
 * down, the leader seeing to it (cluster-versions.ts), and members of the older version may take the place of these. The
 * older members call it off when they are among themselves.
 */
import { create, toBinary } from "../../codec/messages.ts";
import { raftField } from "../../codec/raft-internal.ts";
import { errors } from "../../errors/table.ts";
import { DowngradeInfoSetRequestSchema } from "../../gen/tables/membershippb/membership.ts";
import type { Logger } from "../../lib/logger.ts";
import type { Cluster } from "../../membership/cluster.ts";
import type { ProposedRequest } from "../proposer.ts";
import { formatMinor, type MinorVersion, parseVersion } from "./minor-version.ts";

export interface DowngradesOptions {
  readonly cluster: Cluster;
  readonly logger: Logger;
  /** Resolves when this member has applied all that was committed when it was called. */
  readonly linearize: () => Promise<void>;
  /** Puts a request through the log. */
  readonly propose: (request: ProposedRequest) => Promise<void>;
}

export class Downgrades {
  readonly #options: DowngradesOptions;

  constructor(options: DowngradesOptions) {
    this.#options = options;
  }

  /** Whether the cluster could go down to `version` ("3.6" or "3.6.0"). Rejects with etcd's errors. */
  async validate(version: string): Promise<void> {
    await this.#validated(version);
  }

  /** Begins a downgrade. Rejects with etcd's errors. */
  async enable(version: string): Promise<void> {
    try {
      const target = await this.#validated(version);
      await this.#set({ enabled: true, ver: `${formatMinor(target)}.0` });
    } catch (error) {
      this.#options.logger.warn("reject downgrade request", { error: (error as Error).message });
      throw error;
    }
  }

  /** Calls it off. As in etcd it is no error for the client when there is none, or it could not be called off. */
  async cancel(): Promise<void> {
    const { cluster, logger, linearize } = this.#options;
    try {
      await linearize();
      if (!cluster.downgrade.enabled) throw errors.noInflightDowngrade();
      await this.#set({ enabled: false, ver: "" });
    } catch (error) {
      logger.warn("failed to cancel downgrade", { error: (error as Error).message });
    }
  }

  async #validated(version: string): Promise<MinorVersion> {
    const { cluster, linearize } = this.#options;
    const target = parseVersion(version) ?? parseVersion(`${version}.0`);
    if (target === undefined) throw errors.wrongDowngradeVersionFormat();
    if (cluster.version === undefined) throw errors.clusterVersionUnavailable();
    await linearize();
    const current = parseVersion(cluster.version);
    if (target.major !== current?.major || target.minor !== current.minor - 1) {
      throw errors.invalidDowngradeTargetVersion();
    }
    if (cluster.downgrade.enabled) throw errors.downgradeInProcess();
    return target;
  }

  #set(info: { readonly enabled: boolean; readonly ver: string }): Promise<void> {
    const request = create(DowngradeInfoSetRequestSchema, info);
    const bytes = toBinary(DowngradeInfoSetRequestSchema, request);
    return this.#options.propose({ field: raftField.downgradeInfoSet, bytes, request });
  }
}
