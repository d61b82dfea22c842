/** Tells whether the console in src/gen was made from the sources as they are. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A hash over all files of the folder but tests. */
export function consoleSourcesHash(folder: string): string {
  const hash = createHash("sha256");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) =>
    name.replaceAll("\\", "/"),
  );
  for (const name of names.sort()) {
    if (!/\.(ts|css|html|svg)$/.test(name) || name.endsWith(".test.ts")) continue;
    hash.update(`${name}\0`).update(readFileSync(join(folder, name), "utf8").replaceAll("\r\n", "\n"));
  }
  return hash.digest("hex").slice(0, 16);
}
