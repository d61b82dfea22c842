/** `utl import` and `utl export`: data folders of etcd become ours, and ours etcd's. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { CommandCall } from "../lib/command-line/command.ts";
import { nodeDisk } from "../runtime/disk.ts";
import { exists } from "../runtime/exists.ts";
import { exportToEtcd } from "./data-folder/export-etcd.ts";
import { importEtcd, isEtcdMember } from "./data-folder/import-etcd.ts";
import { ExitCode, failWith } from "./exit-codes.ts";
import { loggerTo } from "./log-lines.ts";

export async function importCommand({ flags, args, output }: CommandCall): Promise<number> {
  const [from, dataDir] = [flags.string("from-etcd"), flags.string("data-dir")];
  if (from === "" || dataDir === "" || args.length > 0) {
    return failWith(
      output,
      ExitCode.badArguments,
      "import requires --from-etcd and --data-dir, and no arguments",
    );
  }
  const [fromWal, walDir] = [flags.string("from-wal-dir"), flags.string("wal-dir")];
  try {
    const member = join(from, "member");
    if (!(await isEtcdMember(member)))
      throw new Error(`${from} is no data directory of etcd: no member/snap/db in it`);
    const [unfinished, made] = [join(dataDir, "member.importing"), join(dataDir, "member")];
    await refuseExisting(made, ...(walDir === "" ? [] : [walDir]));
    await rm(unfinished, { recursive: true, force: true });
    await nodeDisk.makeDir(unfinished);
    const places = {
      store: join(unfinished, "store"),
      log: walDir === "" ? join(unfinished, "log") : walDir,
    };
    await importEtcd(
      { member, wal: fromWal || join(member, "wal") },
      places,
      loggerTo(output, "utl/move.ts"),
    );
    await nodeDisk.rename(unfinished, made);
    await nodeDisk.syncDir(dataDir);
    return ExitCode.success;
  } catch (error) {
    return failWith(output, ExitCode.error, error);
  }
}

export async function exportCommand({ flags, args, output }: CommandCall): Promise<number> {
  const [to, dataDir, walDir] = [flags.string("to-etcd"), flags.string("data-dir"), flags.string("wal-dir")];
  if (to === "" || dataDir === "" || args.length > 0) {
    return failWith(
      output,
      ExitCode.badArguments,
      "export requires --to-etcd and --data-dir, and no arguments",
    );
  }
  try {
    await refuseExisting(join(to, "member"));
    const member = join(dataDir, "member");
    const log = walDir || join(member, "log");
    await exportToEtcd({ member, log, to }, loggerTo(output, "utl/move.ts"));
    return ExitCode.success;
  } catch (error) {
    return failWith(output, ExitCode.error, error);
  }
}

async function refuseExisting(...paths: readonly string[]): Promise<void> {
  for (const path of paths) if (await exists(path)) throw new Error(`${path} exists already`);
}
