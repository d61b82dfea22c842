/**
 * The ConfState beside the data, as etcd keeps it: JSON in the bucket "meta". A backup carries it along, and a start
 * reads from it who votes.
 */
import type { Backend, MetaChange } from "../backend/backend.ts";
import type { MemberId } from "../lib/ids.ts";
import type { ConfState } from "../lib/raft-entry.ts";
import { fromUtf8, utf8 } from "./member.ts";

export const metaBucket = "meta";
export const confStateKey = "confState";

export function confStateRow(state: ConfState): MetaChange {
  return { bucket: metaBucket, key: confStateKey, value: utf8(confStateToJson(state)) };
}

/** What a store says; undefined if nothing was ever applied to it. */
export function storedConfState(backend: Pick<Backend, "meta">): ConfState | undefined {
  // "meta" has a handful of rows.
  const row = backend.meta(metaBucket, undefined, 1000).find(({ key }) => key === confStateKey);
  return row && confStateFromJson(row.value);
}

/** By hand, because ids are numbers of 64 bits. */
export function confStateToJson(state: ConfState): string {
  const lists = [
    ["voters", state.voters],
    ["learners", state.learners],
    ["voters_outgoing", state.votersOutgoing],
    ["learners_next", state.learnersNext],
  ] as const;
  const fields = lists
    .filter(([, ids]) => ids.length > 0)
    .map(([name, ids]) => `"${name}":[${ids.join(",")}]`);
  return `{${[...fields, `"auto_leave":${state.autoLeave}`].join(",")}}`;
}

export function confStateFromJson(bytes: Uint8Array): ConfState {
  // Ids become strings first: as numbers they would lose bits.
  const quoted = fromUtf8(bytes).replaceAll(/\d+/g, '"$&"');
  const fields = JSON.parse(quoted) as Record<string, unknown>;
  const ids = (name: string): MemberId[] => {
    const list = fields[name];
    return Array.isArray(list) ? list.map((id) => BigInt(id as string) as MemberId) : [];
  };
  return {
    voters: ids("voters"),
    learners: ids("learners"),
    votersOutgoing: ids("voters_outgoing"),
    learnersNext: ids("learners_next"),
    autoLeave: fields["auto_leave"] === true,
  };
}
