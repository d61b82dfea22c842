/** The server as a program: runs until it is told to stop or cannot go on. */
import { join, resolve } from "node:path";
import { type Config, ConfigError, withPlace } from "../config/config.ts";
import type { Logger } from "../lib/logger.ts";
import { formatId } from "../membership/member.ts";
import { giveBackWhenQuiet } from "../runtime/garbage.ts";
import { notifySystemd } from "../runtime/notify-systemd.ts";
import { walExists } from "../wal/open.ts";
import { announceServing, announceStart, type MemberPlace } from "./serve/announce-start.ts";
import { probePorts } from "./serve/listen.ts";
import { type DataFolder, openData } from "./serve/open-data.ts";
import { startServer } from "./serve/start-server.ts";
import { untilStopped } from "./serve/until-stopped.ts";

/** Runs a server until it is told to stop or cannot go on. Returns the status to end with. */
export async function serve(config: Config, logger: Logger): Promise<number> {
  const stop = untilStopped(logger);
  let data: DataFolder | undefined;
  try {
    await probePorts(config);
    data = await openData(config, logger);
    return await run(config, logger, data, stop);
  } catch (cause) {
    const error = withPlace(cause, config.places);
    const message = error instanceof Error ? error.message : String(error);
    logger.at("cmd/serve.ts").fatal("failed to start etcd", { error: message });
    return error instanceof ConfigError ? error.exitStatus : 1;
  } finally {
    data?.release();
  }
}

async function run(
  config: Config,
  logger: Logger,
  data: DataFolder,
  stop: ReturnType<typeof untilStopped>,
): Promise<number> {
  const ends = { onFatal: stop.fatal, onRemoved: stop.end };
  announceStart(config, await placeOf(config, data), logger);
  const running = await startServer({ config, logger, data, ends, peers: true });
  announceServing(config, formatId(running.server.cluster.localId), logger);
  const collector = giveBackWhenQuiet(running.activity);
  if (await Promise.race([running.started.then(() => true), stop.asked.then(() => false)])) {
    logger.at("cmd/serve.ts").info("ready to serve client requests");
    tellSystemd(logger, "READY=1");
  }
  const status = await stop.asked;
  tellSystemd(logger, "STOPPING=1");
  collector.stop();
  await running.stop();
  return status;
}

async function placeOf(config: Config, { logDir }: DataFolder): Promise<MemberPlace> {
  if (logDir === undefined) return { initialized: false, memberDir: undefined };
  return { initialized: await walExists(logDir), memberDir: join(resolve(config.dataDir), "member") };
}

function tellSystemd(logger: Logger, state: string): void {
  notifySystemd(state).catch((error: Error) =>
    logger.at("cmd/serve.ts").warn("failed to notify systemd", { state, error: error.message }),
  );
}
