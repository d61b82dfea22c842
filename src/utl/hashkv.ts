/** `etcdutl hashkv`: the hash of a history, as members compare it. Of a database file, or of a data folder of ours. */
import { stat } from "node:fs/promises";
import type { CommandCall } from "../lib/command-line/command.ts";
import { finish } from "../lib/steps.ts";
import { textTable } from "../lib/text-table.ts";
import { MvccStore } from "../mvcc/store.ts";
import { nodeDisk } from "../runtime/disk.ts";
import { openStopped } from "./data-folder/open-stopped.ts";
import { ExitCode, failWith } from "./exit-codes.ts";
import { goFileError } from "./go-file-error.ts";
import { type HashKv, hashFile } from "./hash-file.ts";

const heads = ["hash", "hash revision", "compact revision"];

const printers: Readonly<Record<string, (hash: HashKv) => string>> = {
  simple: (hash) => `${rowOf(hash).join(", ")}\n`,
  fields: ({ hash, hashRevision, compactRevision }) =>
    `"Hash" : ${hash}\n"Hash revision" : ${hashRevision}\n"Compact revision" : ${compactRevision}\n`,
  json: ({ hash, hashRevision, compactRevision }) =>
    `${JSON.stringify({ hash, hashRevision, compactRevision })}\n`,
  table: (hash) => textTable(heads, [rowOf(hash)], { align: "right" }),
};

export async function hashKv({ flags, args, output }: CommandCall): Promise<number> {
  const path = args[0]!;
  const format = flags.string("write-out");
  if (format !== "protobuf" && !Object.hasOwn(printers, format)) {
    return failWith(output, ExitCode.badFeature, "unsupported output format");
  }
  try {
    const revision = Number(flags.int("rev"));
    const isFolder = (await stat(path)).isDirectory();
    const hash = isFolder
      ? await hashFolder(path, revision, flags.durationMs("timeout"))
      : await hashFile(nodeDisk, path, revision);
    const print = printers[format];
    if (print === undefined) {
      return failWith(output, ExitCode.badFeature, "protobuf not supported as output format");
    }
    output.out(print(hash));
    return ExitCode.success;
  } catch (error) {
    const { message } = goFileError("stat", path, error);
    return failWith(output, ExitCode.error, message.replace(/^etcdserver: /, ""));
  }
}

/** Of what is in the store: a server that was stopped has left nothing in its log beyond it. */
async function hashFolder(dataDir: string, revision: number, timeoutMs: number): Promise<HashKv> {
  const { backend, close } = await openStopped(dataDir, timeoutMs);
  try {
    const store = new MvccStore({ backend, leases: { has: () => false } });
    const { hash, hashRevision, compactRevision } = finish(store.hashByRevision(revision));
    return { hash, hashRevision, compactRevision: compactRevision > 0 ? compactRevision : -1 };
  } finally {
    await close();
  }
}

function rowOf({ hash, hashRevision, compactRevision }: HashKv): string[] {
  return [hash, hashRevision, compactRevision].map(String);
}
