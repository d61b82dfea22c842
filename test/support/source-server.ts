/**
 * The server from the sources, on the runtime that runs this; or, for the same tests on an executable, the one that
 * ETCLITE_PROGRAM names.
 */
import { join } from "node:path";
import { repository } from "./paths.ts";
import { type ServerOptions, ServerProcess } from "./server-process.ts";

const denoWords = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
const program = process.env["ETCLITE_PROGRAM"];

/** Starts one and waits until it is healthy. */
export function startFromSource(options: Omit<ServerOptions, "program" | "words">): Promise<ServerProcess> {
  if (program !== undefined) return ServerProcess.ready({ ...options, program });
  const words = [...denoWords, join(repository, "src/cmd/main.ts")];
  return ServerProcess.ready({ ...options, program: process.execPath, words });
}
