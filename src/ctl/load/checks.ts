/** What the two checks have in common: clients, keys, and the tidying afterwards. */
import { randomBytes } from "node:crypto";
import type { Client } from "../../client/client.ts";
import { compact, deleteRange, range } from "../../client/methods/kv.ts";
import { defragment } from "../../client/methods/maintenance.ts";
import { prefixEnd } from "../../client/prefix-end.ts";
import { goQuote } from "../../lib/go-quote.ts";
import type { CtlCall } from "../call.ts";
import { Exit, ExitCode, orExit } from "../exit.ts";

const tidyMs = 30_000;

export type LoadName = "s" | "m" | "l" | "xl";

const aliases: Readonly<Record<string, LoadName>> = {
  s: "s",
  small: "s",
  m: "m",
  medium: "m",
  l: "l",
  large: "l",
  xl: "xl",
  xLarge: "xl",
};

export function loadOf({ flags }: CtlCall): LoadName {
  const word = flags.string("load");
  if (Object.hasOwn(aliases, word)) return aliases[word]!;
  throw new Exit(ExitCode.badFeature, `unknown load option ${word}`);
}

/** Each has a connection of its own. */
export async function openClients(call: CtlCall, count: number): Promise<[Client, ...Client[]]> {
  const options = await call.clientOptions();
  const first = await call.connect(options);
  const others = await Promise.all(Array.from({ length: count - 1 }, () => call.connect(options)));
  return [first, ...others];
}

const under = (prefix: string) => {
  const key = Buffer.from(prefix);
  return { key, range_end: prefixEnd(key) };
};

/** Nobody's keys are to be deleted at the end. */
export async function refuseKeys(client: Client, prefix: string, quote: string): Promise<void> {
  const { kvs } = await orExit(client.unary(range, { ...under(prefix), limit: 1n }));
  if (kvs.length === 0) return;
  throw new Exit(
    ExitCode.invalidInput,
    `prefix ${goQuote(prefix)} has keys. Delete with ${quote}etcdctl del --prefix ${prefix}${quote} first`,
  );
}

/** A key under the prefix that nobody had before: random, then zeros. */
export function randomKey(prefix: string, bytes: number): Uint8Array {
  return Buffer.concat([Buffer.from(prefix), randomBytes(9), Buffer.alloc(bytes - 9)]);
}

/** Gives the revision of the deletion. */
export async function deleteKeys(client: Client, prefix: string): Promise<bigint> {
  const { header } = await client.unary(deleteRange, under(prefix), { timeoutMs: tidyMs });
  return header?.revision ?? 0n;
}

export async function tidy(call: CtlCall, client: Client, revision: bigint): Promise<void> {
  const { flags, io } = call;
  if (flags.bool("auto-compact")) {
    io.out(`Compacting with revision ${revision}\n`);
    await orExit(client.unary(compact, { revision, physical: true }, { timeoutMs: tidyMs }));
    io.out(`Compacted with revision ${revision}\n`);
  }
  if (!flags.bool("auto-defrag")) return;
  const options = await call.clientOptions();
  for (const endpoint of client.endpoints) {
    io.out(`Defragmenting ${goQuote(endpoint)}\n`);
    const one = await call.connect({ ...options, endpoints: [endpoint] });
    await orExit(one.unary(defragment, {}, { timeoutMs: tidyMs }));
    one.close();
    io.out(`Defragmented ${goQuote(endpoint)}\n`);
  }
}

export function tellErrors({ io }: CtlCall, errors: ReadonlyMap<string, number>): void {
  if (errors.size === 0) return;
  io.out("FAIL: too many errors\n");
  for (const [message, count] of errors) io.out(`FAIL: ERROR(${message}) -> ${count}\n`);
}
