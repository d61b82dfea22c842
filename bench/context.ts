/** What every part of the benchmark is given. */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ServerProcess } from "../test/support/server-process.ts";
import type { Results, SubjectName } from "./results.ts";

export interface Subject {
  readonly name: SubjectName;
  readonly program: string;
}

export interface Context {
  readonly subjects: readonly Subject[];
  readonly results: Results;
  /** Where the servers keep their data: should be on the disk that is meant. */
  readonly folder: string;
  readonly rounds: number;
  /** Keys of the parts with a large store. */
  readonly keys: number;
  /** Multiplies the number of requests of a throughput run. */
  readonly scale: number;
}

/** The subjects in an order that changes from round to round, so that neither always comes first. */
export function inTurn(context: Context, round: number): readonly Subject[] {
  return round % 2 === 0 ? context.subjects : context.subjects.toReversed();
}

/** Runs `body` with a healthy server on an empty folder, and removes both afterwards. */
export async function withServer<T>(
  context: Context,
  subject: Subject,
  body: (server: ServerProcess, folder: string) => Promise<T>,
  flags: readonly string[] = [],
  clientPort?: number,
): Promise<T> {
  const folder = join(context.folder, subject.name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const server = await ServerProcess.ready({
    program: subject.program,
    folder,
    flags,
    ...(clientPort !== undefined && { clientPort }),
  });
  try {
    return await body(server, folder);
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export const mebibytes = (bytes: number): number => bytes / 1024 / 1024;
