/** What is released: the package's version at the commit that is checked out. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./paths.ts";

export interface Version {
  readonly name: string;
  readonly commit: string;
  /** The time of the commit: every file in an archive has it, so that the same commit gives the same archive. */
  readonly date: Date;
}

export function currentVersion(): Version {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  const [commit = "", seconds = ""] = git("log", "-1", "--format=%H %ct").split(" ");
  return { name: version, commit, date: new Date(Number(seconds) * 1000) };
}

/** Whether there are changes that the commit does not have. */
export const hasUncommittedChanges = (): boolean => git("status", "--porcelain") !== "";

function git(...args: string[]): string {
  const { status, stdout, stderr } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`git ${args.join(" ")}: ${stderr.trim()}`);
  return stdout.trim();
}
