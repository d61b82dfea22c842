/** Drives h2load, which sends the same gRPC request again and again over HTTP/2, and reads what it measured. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { mustExec } from "../test/support/exec.ts";

export interface H2loadOptions {
  readonly url: string;
  /** `/etcdserverpb.KV/Put` and so on. */
  readonly path: string;
  /** The request message, without gRPC's prefix. */
  readonly message: Uint8Array;
  readonly requests: number;
  readonly connections: number;
  /** Requests under way on each connection. */
  readonly streams: number;
  /** Sent along, as `name:value`. */
  readonly headers?: readonly string[];
  /** Where the body of the request may be written. */
  readonly folder: string;
}

export interface H2loadResult {
  readonly perSecond: number;
  /** Bytes of DATA frames that came back. */
  readonly dataBytes: number;
}

export interface H2loadForOptions extends Omit<H2loadOptions, "requests"> {
  readonly seconds: number;
}

/** As many requests as are answered within a time. */
export async function h2loadFor(options: H2loadForOptions): Promise<{ readonly perSecond: number }> {
  const body = join(options.folder, "body");
  writeFileSync(body, grpcFrame(options.message));
  const { stdout } = await mustExec(
    "h2load",
    [
      ["-D", options.seconds, "-c", options.connections, "-m", options.streams, "-d", body],
      ["-H", "content-type:application/grpc", "-H", "te:trailers", options.url + options.path],
    ]
      .flat()
      .map(String),
    { timeoutMs: 600_000 },
  );
  const rate = /finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(stdout);
  const counts = /requests: .* (\d+) succeeded, (\d+) failed/.exec(stdout);
  if (!rate || !counts) throw new Error(`h2load printed what this does not read:\n${stdout}`);
  if (Number(counts[2]) !== 0) throw new Error(`h2load had failures:\n${stdout}`);
  return { perSecond: Number(rate[1]) };
}

/** h2load sees HTTP statuses and not gRPC's: the caller must check that the work was done. */
export async function h2load(options: H2loadOptions): Promise<H2loadResult> {
  const body = join(options.folder, "body");
  writeFileSync(body, grpcFrame(options.message));
  const { stdout } = await mustExec(
    "h2load",
    [
      ["-n", options.requests, "-c", options.connections, "-m", options.streams, "-d", body],
      ["-H", "content-type:application/grpc", "-H", "te:trailers"],
      (options.headers ?? []).flatMap((header) => ["-H", header]),
      [options.url + options.path],
    ]
      .flat()
      .map(String),
    { timeoutMs: 600_000 },
  );
  return parseH2load(stdout, options.requests);
}

export function parseH2load(output: string, requests: number): H2loadResult {
  const rate = /finished in [\d.]+\w+, ([\d.]+) req\/s/.exec(output);
  const counts = /requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, (\d+) failed/.exec(output);
  const data = /traffic: .* \(\d+\) total, .* headers .*, \S+ \((\d+)\) data/.exec(output);
  if (!rate || !counts || !data) throw new Error(`h2load printed what this does not read:\n${output}`);
  const [succeeded, failed] = [Number(counts[3]), Number(counts[4])];
  if (succeeded !== requests || failed !== 0) throw new Error(`h2load had failures:\n${output}`);
  return { perSecond: Number(rate[1]), dataBytes: Number(data[1]) };
}

/** A message as gRPC sends it: not compressed, length, bytes. */
export function grpcFrame(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(5 + message.length);
  new DataView(frame.buffer).setUint32(1, message.length);
  frame.set(message, 5);
  return frame;
}
