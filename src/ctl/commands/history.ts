/** `history`: every version of a key that is not compacted, as a watch from the beginning tells it. */
import { setTimeout as delay } from "node:timers/promises";
import type { Client } from "../../client/client.ts";
import type { Event } from "../../client/messages/watch.ts";
import { event as eventTable } from "../../client/messages/watch.ts";
import { range } from "../../client/methods/kv.ts";
import { Watcher } from "../../client/watcher.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { goJson, messageJson } from "../print/go-json.ts";
import { bytesOf } from "../words.ts";

/** Between two questions how far the watch is: a watch that is behind does not answer them. */
const askMs = 50;

export async function history(call: CtlCall): Promise<undefined> {
  const { args, flags, io } = call;
  const [word] = args;
  if (word === undefined || args.length !== 1) return badArguments("history takes one key");
  const client = await call.client();
  const all = await orExit(versionsOf(call, client, bytesOf(word)));
  const limit = Number(flags.int("limit"));
  for (const version of limit > 0 ? all.slice(-limit) : all) {
    if (call.format === "json") io.out(`${goJson(messageJson(eventTable, version))}\n`);
    else if (call.format === "simple") show(call, version);
    else throw new Exit(ExitCode.badFeature, `${call.format} not supported as output format`);
  }
}

function show({ io }: CtlCall, { type, kv }: Event): void {
  if (kv === undefined) return;
  const revision = String(kv.mod_revision).padStart(8);
  if (type === 1) io.out(`${revision}  deleted\n`);
  else {
    const head = `${revision}  version ${kv.version}  `;
    io.out(Buffer.concat([Buffer.from(head), kv.value, Buffer.from("\n")]));
  }
}

/** Oldest first. */
async function versionsOf(call: CtlCall, client: Client, key: Uint8Array): Promise<Event[]> {
  const { header } = await client.unary(range, { key, count_only: true }, call.timeout);
  const newest = header?.revision ?? 0n;
  let startRevision = 1n;
  for (;;) {
    const found = await readFrom(client, key, startRevision, newest);
    if (typeof found !== "bigint") return found;
    startRevision = found + 1n;
  }
}

/** The events up to `newest`, or the revision up to which all is compacted. */
async function readFrom(
  client: Client,
  key: Uint8Array,
  startRevision: bigint,
  newest: bigint,
): Promise<Event[] | bigint> {
  const watcher = new Watcher(client);
  const over = new AbortController();
  void (async () => {
    while (!over.signal.aborted) {
      watcher.requestProgress();
      await delay(askMs, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  const events: Event[] = [];
  try {
    for await (const answer of watcher.watch({ key, startRevision })) {
      if (answer.compactRevision !== 0n) return answer.compactRevision;
      if (answer.error !== undefined) throw new Error(answer.error);
      events.push(...answer.events.filter(({ kv }) => kv !== undefined && kv.mod_revision <= newest));
      if ((answer.header?.revision ?? 0n) >= newest && answer.events.length === 0) break;
    }
    return events;
  } finally {
    over.abort();
    watcher.close();
  }
}
