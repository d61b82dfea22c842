/** The platforms that the toolchain makes executables for. */

export interface Target {
  /** Bun's name. */
  readonly bun: string;
  /** As etcd names its archives: Go's names of system and processor, and what else tells two archives apart. */
  readonly name: string;
  /** etcd's archives are zip files for all but Linux. */
  readonly archive: "tar.gz" | "zip";
  readonly isWindows: boolean;
}

const target = (bun: string, name: string): Target => ({
  bun,
  name,
  archive: name.startsWith("linux") ? "tar.gz" : "zip",
  isWindows: name.startsWith("windows"),
});

export const targets: readonly Target[] = [
  target("bun-linux-x64", "linux-amd64"),
  target("bun-linux-x64-baseline", "linux-amd64-baseline"),
  target("bun-linux-x64-musl", "linux-amd64-musl"),
  target("bun-linux-arm64", "linux-arm64"),
  target("bun-linux-arm64-musl", "linux-arm64-musl"),
  target("bun-darwin-arm64", "darwin-arm64"),
  target("bun-darwin-x64", "darwin-amd64"),
  target("bun-windows-x64", "windows-amd64"),
];

/** Those of the names given, or all. Throws if there is none of a name. */
export function chosenTargets(names: readonly string[]): readonly Target[] {
  if (names.length === 0) return targets;
  return names.map((name) => {
    const found = targets.find((candidate) => candidate.name === name);
    if (!found)
      throw new Error(`no target ${name}: expected one of ${targets.map((t) => t.name).join(", ")}`);
    return found;
  });
}
