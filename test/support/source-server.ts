/**
 * The server from the sources, on the runtime that runs this; or, for the same tests on an executable, the one that
 * ETCLITE_PROGRAM names.
 */
import { join } from "node:path";
import { repository } from "./paths.ts";
import { type ServerOptions, ServerProcess } from "./server-process.ts";

const denoWords = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
const program = process.env["ETCLITE_PROGRAM"];

/** How it is started. */
export function sourceProgram(): Pick<ServerOptions, "program" | "words"> {
  if (program !== undefined) return { program };
  return { program: process.execPath, words: [...denoWords, join(repository, "src/cmd/main.ts")] };
}

/** Starts one and waits until it is healthy. */
export function startFromSource(options: Omit<ServerOptions, "program" | "words">): Promise<ServerProcess> {
  return ServerProcess.ready({ ...options, ...sourceProgram() });
}
