/** The server from the sources, on the runtime that runs this. */
import { join } from "node:path";
import { repository } from "./paths.ts";
import { type ServerOptions, ServerProcess } from "./server-process.ts";

const denoWords = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];

/** Starts one and waits until it is healthy. */
export function startFromSource(options: Omit<ServerOptions, "program" | "words">): Promise<ServerProcess> {
  const words = [...denoWords, join(repository, "src/cmd/main.ts")];
  return ServerProcess.ready({ ...options, program: process.execPath, words });
}
