/** `make-mirror`: copies the keys of one cluster to another, and then every change, in order. */
import { setInterval as every } from "node:timers";
import type { Client, ClientOptions } from "../../client/client.ts";
import type { RequestOp } from "../../client/messages/kv.ts";
import { put, range, txn } from "../../client/methods/kv.ts";
import { prefixEnd } from "../../client/prefix-end.ts";
import { type WatchEvent, Watcher } from "../../client/watcher.ts";
import type { Init } from "../../client/wire/message.ts";
import { errors } from "../../errors/table.ts";
import type { CtlCall } from "../call.ts";
import { limitsFromFlags, tlsFrom, userFrom } from "../connect.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { bytesOf } from "../words.ts";

const batchLimit = 1000n;
const reportMs = 30_000;

export async function makeMirror(call: CtlCall): Promise<undefined> {
  const { args, flags, io } = call;
  const [destination] = args;
  if (destination === undefined || args.length !== 1) {
    return badArguments("make-mirror takes one destination argument");
  }
  const to = await call.connect(await destinationOptions(call, destination));
  const from = await call.client();
  if (flags.bool("no-dest-prefix") && flags.string("dest-prefix") !== "") {
    badArguments("`--dest-prefix` and `--no-dest-prefix` cannot be set at the same time, choose one");
  }
  const mirror = new Mirror(call, from, to);
  every(() => io.out(`${mirror.count}\n`), reportMs);
  await orExit(mirror.run());
  throw new Exit(ExitCode.error, "<nil>");
}

async function destinationOptions(call: CtlCall, endpoint: string): Promise<ClientOptions> {
  const { flags } = call;
  const tls = tlsFrom({
    cert: flags.string("dest-cert"),
    key: flags.string("dest-key"),
    cacert: flags.string("dest-cacert"),
    serverName: "",
    isPlain: flags.bool("dest-insecure-transport"),
    skipsVerify: false,
  });
  const password = flags.string("dest-password");
  return {
    endpoints: [endpoint],
    tls,
    user: await userFrom(call, flags.string("dest-user"), password, "Destination Password: "),
    connectTimeoutMs: flags.durationMs("dial-timeout") || undefined,
    ...limitsFromFlags(call),
  };
}

class Mirror {
  /** Keys and changes that were copied. */
  count = 0;
  readonly #from: Client;
  readonly #to: Client;
  readonly #prefix: Uint8Array;
  readonly #newPrefix: Uint8Array;
  readonly #maxOps: number;
  /** Everything up to here has been copied. */
  #revision: bigint;

  constructor({ flags }: CtlCall, from: Client, to: Client) {
    this.#from = from;
    this.#to = to;
    const prefix = flags.string("prefix");
    const given = flags.string("dest-prefix");
    this.#prefix = bytesOf(prefix);
    this.#newPrefix = bytesOf(flags.bool("no-dest-prefix") ? "" : given === "" ? prefix : given);
    this.#maxOps = Math.max(1, Number(flags.uint("max-txn-ops")));
    const startRevision = flags.int("rev");
    this.#revision = startRevision > 1n ? startRevision - 1n : 0n;
  }

  async run(): Promise<void> {
    if (this.#revision === 0n) await this.#copyAll();
    const watcher = new Watcher(this.#from, { requireLeader: false });
    const watch = watcher.watch({ ...this.#range(), startRevision: this.#revision + 1n });
    for await (const event of watch) {
      if (event.compactRevision !== 0n) throw new Error(errors.compacted.text);
      if (event.error !== undefined) throw new Error(event.error);
      await this.#apply(event);
    }
  }

  #range(): { key: Uint8Array; rangeEnd: Uint8Array } {
    const zero = Uint8Array.of(0);
    if (this.#prefix.length === 0) return { key: zero, rangeEnd: zero };
    return { key: this.#prefix, rangeEnd: prefixEnd(this.#prefix) };
  }

  #renamed(key: Uint8Array): Uint8Array {
    return Buffer.concat([this.#newPrefix, key.subarray(this.#prefix.length)]);
  }

  async #copyAll(): Promise<void> {
    let { key } = this.#range();
    const { rangeEnd } = this.#range();
    for (;;) {
      const request = { key, range_end: rangeEnd, limit: batchLimit, revision: this.#revision };
      const { kvs, more, header } = await this.#from.unary(range, request);
      if (this.#revision === 0n) this.#revision = header?.revision ?? 0n;
      for (const { key: old, value } of kvs) {
        await this.#to.unary(put, { key: this.#renamed(old), value });
        this.count++;
      }
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      key = Buffer.concat([last.key, Uint8Array.of(0)]);
    }
  }

  /** The changes of a revision in one transaction, unless they are too many. */
  async #apply({ events }: WatchEvent): Promise<void> {
    let ops: Init<RequestOp>[] = [];
    let revision = 0n;
    const commit = async (): Promise<void> => {
      if (ops.length > 0) await this.#to.unary(txn, { success: ops });
      ops = [];
    };
    for (const { type, kv } of events) {
      if (kv === undefined) continue;
      if (kv.mod_revision > revision || ops.length === this.#maxOps) await commit();
      revision = kv.mod_revision;
      const key = this.#renamed(kv.key);
      ops.push(type === 0 ? { request_put: { key, value: kv.value } } : { request_delete_range: { key } });
      this.count++;
    }
    await commit();
  }
}
