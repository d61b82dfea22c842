/** `snapshot save`: the database of one member into a file, whole or not at all. */
import { createHash } from "node:crypto";
import { open, rename, rm } from "node:fs/promises";
import type { Client } from "../../client/client.ts";
import { snapshot } from "../../client/methods/maintenance.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import { humanBytes } from "../../lib/human-bytes.ts";
import { progressBar } from "../../lib/progress-bar.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { loggerTo } from "../log-line.ts";

/** The database is whole sectors, and behind it stands its SHA-256. */
const sectorBytes = 512;
const hashBytes = 32;

export async function snapshotSave(call: CtlCall): Promise<undefined> {
  const [path] = call.args;
  if (path === undefined || call.args.length !== 1) {
    return badArguments("snapshot save expects one argument <filename>");
  }
  const options = await call.clientOptions();
  if (options.endpoints.length !== 1) {
    throw new Exit(
      ExitCode.interrupted,
      `snapshot must be requested to one selected node, not multiple [${options.endpoints.join(" ")}]`,
    );
  }
  call.loggerName = "client";
  const client = await call.connect(options);
  const version = await orExit(save(call, client, options.endpoints[0]!, path), ExitCode.interrupted);
  client.close();
  call.io.out(`Snapshot saved at ${path}\n`);
  if (version !== "") call.io.out(`Server version ${version}\n`);
}

/** Gives the server's version, which a server before 3.6 does not tell. */
async function save(call: CtlCall, client: Client, endpoint: string, path: string): Promise<string> {
  const logger = loggerTo(call.io, "ctl/snapshot-save.ts");
  const part = `${path}.part`;
  const started = performance.now();
  const file = await open(part, "w", 0o600).catch((error: Error) => {
    throw new Error(`could not open ${part} (${goText(part, error)})`);
  });
  try {
    logger.info("created temporary db file", { path: part });
    const clientLogger = logger.named("client");
    const { size, version } = await receive(call, client, file, () => {
      clientLogger.info("opened snapshot stream; downloading");
      logger.info("fetching snapshot", { endpoint });
    });
    clientLogger.info("completed snapshot read; closing");
    await file.sync();
    await file.close();
    const took = formatGoDuration(performance.now() - started);
    logger.info("fetched snapshot", { endpoint, size: humanBytes(size), took, "etcd-version": version });
    await rename(part, path);
    logger.info("saved", { path });
    return version;
  } finally {
    await file.close().catch(() => {});
    await rm(part, { force: true });
  }
}

interface Sink {
  write(bytes: Uint8Array): Promise<unknown>;
}

async function receive(
  call: CtlCall,
  client: Client,
  file: Sink,
  onBegin: () => void,
): Promise<{ size: number; version: string }> {
  // Without a word about it, a large database may take as long as it takes.
  const limit = call.flags.isGiven("command-timeout") ? call.timeout : {};
  const bar = progressBar(call.io, "snapshot");
  const hash = createHash("sha256");
  /** The last bytes so far, which may be the hash. */
  let tail: Uint8Array = new Uint8Array(0);
  let size = 0;
  let version = "";
  const stream = await client.serverStream(snapshot, {}, limit);
  onBegin();
  for await (const { blob, remaining_bytes, version: told } of stream) {
    await file.write(blob);
    size += blob.length;
    version = told || version;
    const known = Buffer.concat([tail, blob]);
    hash.update(known.subarray(0, Math.max(0, known.length - hashBytes)));
    tail = known.subarray(Math.max(0, known.length - hashBytes));
    bar.at(size, size + Number(remaining_bytes));
  }
  bar.end();
  if (size % sectorBytes !== hashBytes) throw new Error(`sha256 checksum not found [bytes: ${size}]`);
  const found = hash.digest();
  if (Buffer.compare(found, tail) !== 0) {
    throw new Error(`expected sha256 [${tail.join(" ")}], got [${found.join(" ")}]`);
  }
  return { size, version };
}

function goText(path: string, error: Error): string {
  const words: Readonly<Record<string, string>> = {
    ENOENT: "no such file or directory",
    EACCES: "permission denied",
    EISDIR: "is a directory",
    ENOTDIR: "not a directory",
  };
  const text = words[(error as { code?: string }).code ?? ""];
  return text === undefined ? error.message : `open ${path}: ${text}`;
}
