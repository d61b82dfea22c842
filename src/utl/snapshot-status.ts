/** `etcdutl snapshot status`: what a database file holds. */
import type { CommandCall } from "../lib/command-line/command.ts";
import { humanBytes } from "../lib/human-bytes.ts";
import { textTable } from "../lib/text-table.ts";
import { nodeDisk } from "../runtime/disk.ts";
import { ExitCode, failWith } from "./exit-codes.ts";
import { goFileError } from "./go-file-error.ts";
import { readStatus, type SnapshotStatus } from "./read-status.ts";

const heads = ["hash", "revision", "total keys", "total size", "version"];

const printers: Readonly<Record<string, (status: SnapshotStatus) => string>> = {
  simple: (status) => `${rowOf(status).join(", ")}\n`,
  fields: ({ hash, revision, totalKey, totalSize, version }) =>
    [
      `"Hash" : ${hash}`,
      `"Revision" : ${revision}`,
      `"Keys" : ${totalKey}`,
      `"Size" : ${totalSize}`,
      `"Version" : ${version}`,
      "",
    ].join("\n"),
  json: (status) => `${JSON.stringify(status)}\n`,
  table: (status) => textTable(heads, [rowOf(status)], { align: "right" }),
};

export async function snapshotStatus({ flags, args, output }: CommandCall): Promise<number> {
  const [path] = args;
  if (path === undefined || args.length !== 1) {
    return failWith(output, ExitCode.badArguments, "snapshot status requires exactly one argument");
  }
  const format = flags.string("write-out");
  try {
    await (await nodeDisk.open(path, "read")).close();
    if (format !== "protobuf" && !Object.hasOwn(printers, format)) {
      return failWith(output, ExitCode.badFeature, "unsupported output format");
    }
    const status = await readStatus(nodeDisk, path);
    const print = printers[format];
    if (print === undefined) {
      return failWith(output, ExitCode.badFeature, "protobuf not supported as output format");
    }
    output.out(print(status));
    return ExitCode.success;
  } catch (error) {
    return failWith(output, ExitCode.error, goFileError("stat", path, error));
  }
}

function rowOf({ hash, revision, totalKey, totalSize, version }: SnapshotStatus): string[] {
  return [hash.toString(16), String(revision), String(totalKey), humanBytes(totalSize), version];
}
