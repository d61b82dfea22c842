/** `diff`: which keys differ between two revisions. Both are read side by side in order, a page at a time. */
import type { Client } from "../../client/client.ts";
import type { KeyValue } from "../../client/messages/kv.ts";
import { range } from "../../client/methods/kv.ts";
import { prefixEnd } from "../../client/prefix-end.ts";
import { goInt64 } from "../../lib/go-number.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, orExit } from "../exit.ts";
import { bytesOf, parseInteger } from "../words.ts";

const pageKeys = 500n;

export async function diff(call: CtlCall): Promise<undefined> {
  const { args } = call;
  if (args.length !== 1 && args.length !== 2) badArguments("diff takes one or two revisions");
  const [from, to = 0n] = args.map((word) => {
    try {
      return parseInteger(word, 10, goInt64);
    } catch (error) {
      return badArguments(`bad revision (${(error as Error).message})`);
    }
  });
  const client = await call.client();
  const prefix = bytesOf(call.flags.string("prefix"));
  await orExit(compare(call, rows(call, client, prefix, from!), rows(call, client, prefix, to)));
}

type Rows = AsyncGenerator<KeyValue, undefined, undefined>;

async function compare({ io }: CtlCall, older: Rows, newer: Rows): Promise<void> {
  const line = (mark: string, ...pieces: readonly (Uint8Array | string)[]): void => {
    io.out(Buffer.concat([mark, " ", ...pieces, "\n"].map((piece) => Buffer.from(piece as string))));
  };
  let [a, b] = [(await older.next()).value, (await newer.next()).value];
  while (a !== undefined || b !== undefined) {
    const order = a === undefined ? 1 : b === undefined ? -1 : Buffer.compare(a.key, b.key);
    if (order < 0) line("-", a!.key, " = ", a!.value);
    else if (order > 0) line("+", b!.key, " = ", b!.value);
    else if (a!.mod_revision !== b!.mod_revision) line("~", a!.key, " = ", a!.value, " -> ", b!.value);
    if (order <= 0) a = (await older.next()).value;
    if (order >= 0) b = (await newer.next()).value;
  }
}

async function* rows(call: CtlCall, client: Client, prefix: Uint8Array, revision: bigint): Rows {
  const zero = Uint8Array.of(0);
  let key = prefix.length === 0 ? zero : prefix;
  const range_end = prefix.length === 0 ? zero : prefixEnd(prefix);
  for (;;) {
    const page = await client.unary(range, { key, range_end, revision, limit: pageKeys }, call.timeout);
    yield* page.kvs;
    const last = page.kvs.at(-1);
    if (!page.more || last === undefined) return undefined;
    // All pages of "now" are of one moment.
    if (revision === 0n) revision = page.header?.revision ?? 0n;
    key = Buffer.concat([last.key, zero]);
  }
}
