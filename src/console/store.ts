/** What the views ask of the store. */
import {
  call,
  type Header,
  type KeyValue,
  type RangeResponse,
  session,
  stream,
  type WatchEvent,
  type WatchResponse,
} from "./api.ts";
import { fromBase64, prefixEnd, toBase64 } from "./bytes.ts";

/** A version of a key. */
export interface Version {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  readonly version: number;
  readonly lease: string;
  readonly isDeleted: boolean;
}

export function versionOf(kv: KeyValue, isDeleted = false): Version {
  return {
    key: fromBase64(kv.key),
    value: fromBase64(kv.value),
    createRevision: Number(kv.createRevision ?? 0),
    modRevision: Number(kv.modRevision ?? 0),
    version: Number(kv.version ?? 0),
    lease: kv.lease ?? "0",
    isDeleted,
  };
}

/** No key is empty: the least one stands for the beginning. */
const rangeFrom = (key: string): string => toBase64(key === "" ? "\0" : key);

export async function getKey(key: string, revision = 0): Promise<Version | undefined> {
  const { kvs } = await call<RangeResponse>("KV/Range", { key: toBase64(key), revision: String(revision) });
  return kvs?.[0] && versionOf(kvs[0]);
}

interface TxnResponse {
  readonly succeeded?: boolean;
}

/** Puts unless somebody else has changed the key since `modRevision` (0: it must not exist). */
export async function putIfUnchanged(
  key: string,
  value: string,
  modRevision: number,
  keepLease: boolean,
): Promise<void> {
  const encoded = toBase64(key);
  const { succeeded } = await call<TxnResponse>("KV/Txn", {
    compare: [{ key: encoded, target: "MOD", result: "EQUAL", modRevision: String(modRevision) }],
    success: [{ requestPut: { key: encoded, value: toBase64(value), ignoreLease: keepLease } }],
  });
  if (succeeded) return;
  throw new Error(
    modRevision === 0 ? "there is such a key already" : "somebody has changed the key meanwhile",
  );
}

export async function deleteIfUnchanged(key: string, modRevision: number): Promise<void> {
  const encoded = toBase64(key);
  const { succeeded } = await call<TxnResponse>("KV/Txn", {
    compare: [{ key: encoded, target: "MOD", result: "EQUAL", modRevision: String(modRevision) }],
    success: [{ requestDeleteRange: { key: encoded } }],
  });
  if (!succeeded) throw new Error("somebody has changed the key meanwhile");
}

export interface WatchOptions {
  readonly key: string;
  readonly isPrefix: boolean;
  /** 0 is from now on. */
  readonly startRevision: number;
  readonly signal: AbortSignal;
}

/** Events as they happen. A start that is compacted away is moved to where history begins. */
export async function* watch(options: WatchOptions): AsyncGenerator<{ events: Version[]; header: Header }> {
  const { key, isPrefix, signal } = options;
  let startRevision = options.startRevision;
  const rangeEnd = isPrefix ? { rangeEnd: toBase64(prefixEnd(key)) } : {};
  for (;;) {
    const createRequest = { key: rangeFrom(key), ...rangeEnd, startRevision: String(startRevision) };
    let compacted = 0;
    for await (const answer of stream<WatchResponse>("Watch/Watch", { createRequest }, signal)) {
      if (answer.canceled) {
        compacted = Number(answer.compactRevision ?? 0);
        if (compacted === 0) throw new Error(answer.cancelReason ?? "the server has ended the watch");
        break;
      }
      const events = (answer.events ?? []).map((event: WatchEvent) =>
        versionOf(event.kv ?? {}, event.type === "DELETE"),
      );
      yield { events, header: answer.header ?? {} };
    }
    if (compacted === 0) return;
    startRevision = compacted + 1;
  }
}

/** Nothing more comes for so long: then that was all of the past. */
const quietMs = 700;

/** What is kept of a key's versions, the newest first. */
export async function historyOf(key: string, newestRevision: number): Promise<Version[]> {
  const controller = new AbortController();
  const versions: Version[] = [];
  let timer = setTimeout(() => controller.abort(), quietMs * 4);
  try {
    const events = watch({ key, isPrefix: false, startRevision: 1, signal: controller.signal });
    for await (const batch of events) {
      versions.push(...batch.events);
      if (newestRevision > 0 && versions.some(({ modRevision }) => modRevision >= newestRevision)) break;
      if (batch.events.length > 0) {
        clearTimeout(timer);
        timer = setTimeout(() => controller.abort(), quietMs);
      }
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
    controller.abort();
  }
  // The newest version may itself be older than what a compaction has left of the history.
  if (versions.length === 0) {
    const current = await getKey(key);
    if (current) versions.push(current);
  }
  return versions.reverse();
}

/** What the user who is logged in may see: everything, or these ranges. */
export interface Permission {
  readonly key: string;
  /** Empty: this key alone. */
  readonly rangeEnd: string;
  readonly mayRead: boolean;
  readonly mayWrite: boolean;
}

interface RoleResponse {
  readonly perm?: readonly {
    readonly permType?: "READ" | "WRITE" | "READWRITE";
    readonly key?: string;
    readonly rangeEnd?: string;
  }[];
}

/** Undefined: everything. */
export async function ownPermissions(): Promise<readonly Permission[] | undefined> {
  if (session.user === null) return undefined;
  const { roles = [] } = await call<{ roles?: string[] }>("Auth/UserGet", { name: session.user });
  if (roles.includes("root")) return undefined;
  const granted = await Promise.all(roles.map((role) => call<RoleResponse>("Auth/RoleGet", { role })));
  return granted.flatMap(({ perm = [] }) =>
    perm.map(({ permType = "READ", key, rangeEnd }) => ({
      key: fromBase64(key),
      rangeEnd: fromBase64(rangeEnd),
      mayRead: permType !== "WRITE",
      mayWrite: permType !== "READ",
    })),
  );
}

/** Whether `key` lies in a range that may be written. */
export function mayWrite(permissions: readonly Permission[] | undefined, key: string): boolean {
  if (permissions === undefined) return true;
  return permissions.some(
    (p) =>
      p.mayWrite &&
      (p.rangeEnd === "" ? key === p.key : key >= p.key && (p.rangeEnd === "\0" || key < p.rangeEnd)),
  );
}
