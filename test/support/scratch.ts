/** A temporary folder for a run, and the options that every suite takes. */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { compiledProgram } from "./paths.ts";

/** For node:util's parseArgs. */
export const commonOptions = {
  server: { type: "string" },
  keep: { type: "boolean", default: false },
  dir: { type: "string" },
} as const;

export const commonHelp = `  --server PATH   the server program (default: dist/etclite, made by npm run compile)
  --dir PATH      where the temporary folder goes (default: the system's)
  --keep          leave the temporary folder`;

/** The program to test; ends the run with a clear word if it is not there. */
export function serverProgram(option: string | undefined): string {
  const program = resolve(option ?? compiledProgram);
  if (existsSync(program)) return program;
  console.error(`there is no ${program}: run npm run compile, or name a server with --server`);
  process.exit(2);
}

/** Makes a folder that is removed at the end of the process, unless `keep`. */
export function scratchFolder(
  name: string,
  options: { readonly keep?: boolean | undefined; readonly dir?: string | undefined } = {},
): string {
  const folder = mkdtempSync(join(options.dir ?? tmpdir(), `etclite-${name}-`));
  if (options.keep) keep = true;
  process.once("exit", () => {
    if (keep) console.log(`files are in ${folder}`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  });
  return folder;
}

let keep = false;

/** Leaves the folders where they are, because a run has failed and somebody will want to look. */
export function keepScratchFolders(): void {
  keep = true;
}
