/** `etcdutl snapshot restore`: checks what it is told, then makes the folder (restore-data-folder.ts). */
import { checkNewCluster } from "../config/bootstrap.ts";
import type { CommandCall } from "../lib/command-line/command.ts";
import { parseEtcdUrl } from "../lib/etcd-url.ts";
import { resolveHost } from "../runtime/resolve-host.ts";
import { ExitCode, failWith } from "./exit-codes.ts";
import { loggerTo } from "./log-lines.ts";
import { type RestoreOptions, restoreDataFolder } from "./restore-data-folder.ts";

export async function snapshotRestore({ flags, args, output }: CommandCall): Promise<number> {
  const [snapshotPath] = args;
  if (snapshotPath === undefined || args.length !== 1) {
    return failWith(output, ExitCode.badArguments, "snapshot restore requires exactly one argument");
  }
  const bumpRevision = flags.uint("bump-revision");
  if (bumpRevision > 0n !== flags.bool("mark-compacted")) {
    return failWith(output, ExitCode.badArguments, "--mark-compacted required if --revision-bump > 0");
  }
  try {
    if (bumpRevision > BigInt(Number.MAX_SAFE_INTEGER) / 2n) throw new Error("--bump-revision is too large");
    const name = flags.string("name");
    const walDir = flags.string("wal-dir");
    const options: RestoreOptions = {
      snapshotPath,
      dataDir: flags.string("data-dir") || `${name}.etcd`,
      walDir: walDir === "" ? undefined : walDir,
      name,
      initialCluster: await initialClusterOf(flags),
      initialClusterToken: flags.string("initial-cluster-token"),
      skipHashCheck: flags.bool("skip-hash-check"),
      bumpRevision: Number(bumpRevision),
    };
    await restoreDataFolder(options, loggerTo(output, "utl/snapshot-restore.ts"));
    return ExitCode.success;
  } catch (error) {
    return failWith(output, ExitCode.error, error);
  }
}

/** The members' peer URLs. Rejects in etcd's words if they do not fit together. */
async function initialClusterOf(flags: CommandCall["flags"]): Promise<Map<string, string[]>> {
  const advertised = flags.string("initial-advertise-peer-urls").split(",").map(parseEtcdUrl);
  const settings = {
    name: flags.string("name"),
    initialCluster: flags.string("initial-cluster"),
    initialAdvertisePeerUrls: advertised,
  };
  try {
    const cluster = await checkNewCluster(settings, resolveHost);
    return new Map([...cluster].map(([name, urls]) => [name, urls.map(({ href }) => href)]));
  } catch (error) {
    // What a server says before it is no concern of this program.
    throw new Error((error as Error).message.replace(/^error setting up initial cluster: /, ""));
  }
}
