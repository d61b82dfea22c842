/** Where things are, worked out from where this file is. */
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of package.json. */
export const repository = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Programs built or fetched for the slow suites: `ETCLITE_TOOLS`, or a folder that git ignores. */
export const toolsFolder = resolve(process.env["ETCLITE_TOOLS"] ?? join(repository, ".scratch", "tools"));

/** The compiled program: what every suite tests unless `--server` names another. */
export const compiledProgram = join(
  repository,
  "dist",
  process.platform === "win32" ? "etclite.exe" : "etclite",
);
