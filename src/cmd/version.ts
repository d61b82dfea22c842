/** The lines of --version: etcd's, which programs read, and one of our own. */
import packageJson from "../../package.json" with { type: "json" };
import { etcdVersion } from "../server/versions.ts";

/** Put in by compile.ts. */
declare const ETCLITE_GIT_SHA: string | undefined;

export const etcliteVersion: string = packageJson.version;
export const gitSha: string = typeof ETCLITE_GIT_SHA === "string" ? ETCLITE_GIT_SHA : "Not provided";

/** Go's names for systems and processors, where Node's differ. */
const goNames: Readonly<Record<string, string>> = { win32: "windows", x64: "amd64", ia32: "386" };
const goName = (name: string): string => goNames[name] ?? name;

export const goOs: string = goName(process.platform);
export const goArch: string = goName(process.arch);

/** "Bun 1.4.5" and the like. */
export function runtimeVersion(): string {
  const { bun, deno, node } = process.versions;
  if (bun) return `Bun ${bun}`;
  return deno ? `Deno ${deno}` : `Node ${node}`;
}

/** What stands where etcd names its Go: there is none. */
export const goVersion = (): string => `none (${runtimeVersion()})`;

export function versionText(): string {
  return (
    `etcd Version: ${etcdVersion}\n` +
    `Git SHA: ${gitSha}\n` +
    `Go Version: ${goVersion()}\n` +
    `Go OS/Arch: ${goOs}/${goArch}\n` +
    `etclite Version: ${etcliteVersion}\n`
  );
}
