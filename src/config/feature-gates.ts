/** `--feature-gates`: etcd's switches for what is not finished, or was not always there. */

import { parseGoBool } from "../lib/go-number.ts";
import { goQuote } from "../lib/go-quote.ts";

type Stage = "ALPHA" | "BETA";

export interface Gate {
  readonly default: boolean;
  readonly stage: Stage;
  readonly help: string;
  /** Why it has no effect and needs none. */
  readonly accepted?: string;
}

/** etcd 3.7's gates. */
export const gateTable = {
  CompactHashCheck: {
    default: false,
    stage: "ALPHA",
    help: "The leader compares its members' hashes after each compaction.",
  },
  FastLeaseKeepAlive: {
    default: true,
    stage: "BETA",
    help: "A lease is renewed without waiting for the log to be applied.",
  },
  InitialCorruptCheck: {
    default: false,
    stage: "ALPHA",
    help: "Compare hashes with the other members before serving.",
  },
  LeaseCheckpoint: {
    default: false,
    stage: "ALPHA",
    help: "The leader sends remaining TTLs to the members from time to time.",
    accepted: "remaining TTLs always outlive a change of leader and a restart",
  },
  LeaseCheckpointPersist: {
    default: false,
    stage: "ALPHA",
    help: "Remaining TTLs are kept in the store. Needs LeaseCheckpoint.",
    accepted: "remaining TTLs always outlive a change of leader and a restart",
  },
  PriorityRequest: {
    default: false,
    stage: "ALPHA",
    help: "Leases can still be revoked when the server has too much to do for anything else.",
  },
  SetMemberLocalAddr: {
    default: false,
    stage: "ALPHA",
    help: "Connect to peers from the first address of --initial-advertise-peer-urls that is not loopback.",
  },
  StopGRPCServiceOnDefrag: {
    default: false,
    stage: "ALPHA",
    help: "Report the service as down while it is defragmented.",
    accepted: "a defragmentation does not stop the service",
  },
  TxnModeWriteWithSharedBuffer: {
    default: true,
    stage: "BETA",
    help: "A transaction's checks read from a shared buffer.",
    accepted: "there is no such buffer",
  },
} as const satisfies Record<string, Gate>;

export type GateName = keyof typeof gateTable;

export const gateEntries = Object.entries(gateTable) as readonly (readonly [GateName, Gate])[];
export type FeatureGates = { readonly [Name in GateName]: boolean };

const groups: Readonly<Record<string, Stage>> = { AllAlpha: "ALPHA", AllBeta: "BETA" };

/**
 * `A=true,B=false` over the defaults. AllAlpha and AllBeta switch the gates of a stage that are not named themselves.
 * Throws an `Error` with etcd's text.
 */
export function parseFeatureGates(text: string): FeatureGates {
  const named = new Map<string, boolean>();
  for (const pair of text.split(",")) {
    if (pair === "") continue;
    const at = pair.indexOf("=");
    const name = (at < 0 ? pair : pair.slice(0, at)).trim();
    if (at < 0) throw new Error(`missing bool value for ${name}`);
    const word = pair.slice(at + 1).trim();
    const on = parseGoBool(word);
    if (on === undefined) {
      throw new Error(
        `invalid value of ${name}=${word}, err: strconv.ParseBool: parsing ${goQuote(word)}: invalid syntax`,
      );
    }
    named.set(name, on);
  }
  for (const name of named.keys()) {
    if (!Object.hasOwn(gateTable, name) && !Object.hasOwn(groups, name)) {
      throw new Error(`unrecognized feature gate: ${name}`);
    }
  }
  const result: Record<string, boolean> = {};
  for (const [name, gate] of gateEntries) {
    const group = Object.keys(groups).find((key) => groups[key] === gate.stage) as string;
    result[name] = named.get(name) ?? named.get(group) ?? gate.default;
  }
  return Object.freeze(result) as FeatureGates;
}

/** What differs from the defaults, as one would type it: `A=true,B=false`. */
export function changedGates(gates: FeatureGates): string {
  return gateEntries
    .filter(([name, gate]) => gates[name] !== gate.default)
    .map(([name]) => `${name}=${gates[name]}`)
    .join(",");
}
