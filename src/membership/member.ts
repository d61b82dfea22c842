/**
 * A member of the cluster, its id and its JSON. Ids and JSON are etcd's to the byte, because members of both kinds may
 * share a cluster, and a backup of one is restored by the other.
 */
import type { ClusterId, MemberId } from "../lib/ids.ts";

export interface Member {
  readonly id: MemberId;
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
  /** Empty until the member has started for the first time and published itself. */
  readonly name: string;
  readonly clientUrls: readonly string[];
}

/** SHA-1 of some bytes, 20 of them. Handed in, because this folder knows no library. */
export type Sha1 = (bytes: Uint8Array) => Uint8Array;

/**
 * A member's id: the first 8 bytes of the SHA-1 of its sorted peer URLs, then the cluster's token, then (only for a
 * member added to a running cluster) the seconds since 1970.
 */
export function computeMemberId(
  sha1: Sha1,
  peerUrls: readonly string[],
  token: string,
  unixSeconds?: number,
): MemberId {
  const text = [...peerUrls].sort().join("") + token + (unixSeconds === undefined ? "" : String(unixSeconds));
  return bigEndian64(sha1(utf8(text))) as MemberId;
}

/** A cluster's id: the first 8 bytes of the SHA-1 of its first members' ids, ascending, 8 bytes each. */
export function computeClusterId(sha1: Sha1, members: readonly MemberId[]): ClusterId {
  const ids = [...members].sort(compareIds);
  const bytes = new Uint8Array(8 * ids.length);
  const view = new DataView(bytes.buffer);
  for (const [i, id] of ids.entries()) view.setBigUint64(8 * i, id);
  return bigEndian64(sha1(bytes)) as ClusterId;
}

export function compareIds(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** An id as etcd writes it: hexadecimal, without leading zeros. */
export function formatId(id: bigint): string {
  return id.toString(16);
}

/** The JSON that etcd stores for a member. Written by hand because the id is a number of 64 bits. */
export function memberToJson(member: Member, isPromote?: boolean): string {
  const fields = [`"id":${member.id}`, `"peerURLs":${JSON.stringify(member.peerUrls)}`];
  if (member.isLearner) fields.push(`"isLearner":true`);
  if (member.name !== "") fields.push(`"name":${JSON.stringify(member.name)}`);
  if (member.clientUrls.length > 0) fields.push(`"clientURLs":${JSON.stringify(member.clientUrls)}`);
  if (isPromote !== undefined) fields.push(`"isPromote":${isPromote}`);
  return `{${fields.join(",")}}`;
}

/** Reads what `memberToJson` and etcd write. The id comes from beside the JSON, where it has all its bits. */
export function memberFromJson(id: MemberId, json: string): Member & { isPromote: boolean } {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== "object" || parsed === null)
    throw new Error(`member ${formatId(id)}: not a JSON object`);
  const fields = parsed as Record<string, unknown>;
  return {
    id,
    peerUrls: strings(fields["peerURLs"]),
    isLearner: fields["isLearner"] === true,
    name: typeof fields["name"] === "string" ? fields["name"] : "",
    clientUrls: strings(fields["clientURLs"]),
    isPromote: fields["isPromote"] === true,
  };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

function bigEndian64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(0);
}

/** UTF-8 without TextEncoder, which the language itself does not have. */
export function utf8(text: string): Uint8Array {
  const escaped = encodeURIComponent(text);
  const bytes: number[] = [];
  for (let i = 0; i < escaped.length; i++) {
    if (escaped[i] === "%") {
      bytes.push(Number.parseInt(escaped.slice(i + 1, i + 3), 16));
      i += 2;
    } else bytes.push(escaped.charCodeAt(i));
  }
  return Uint8Array.from(bytes);
}

export function fromUtf8(bytes: Uint8Array): string {
  let escaped = "";
  for (const byte of bytes) escaped += `%${byte.toString(16).padStart(2, "0")}`;
  return decodeURIComponent(escaped);
}
