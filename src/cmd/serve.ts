/** The server as a program: runs until it is told to stop or cannot go on. */
import { type Config, ConfigError, withPlace } from "../config/config.ts";
import type { Logger } from "../lib/logger.ts";
import { giveBackWhenQuiet } from "../runtime/garbage.ts";
import { notifySystemd } from "../runtime/notify-systemd.ts";
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
  const running = await startServer({ config, logger, data, ends, peers: true });
  const collector = giveBackWhenQuiet(running.activity);
  await Promise.race([running.started, stop.asked]);
  logger.at("cmd/serve.ts").info("ready to serve client requests");
  tellSystemd(logger, "READY=1");
  const status = await stop.asked;
  tellSystemd(logger, "STOPPING=1");
  collector.stop();
  await running.stop();
  return status;
}

function tellSystemd(logger: Logger, state: string): void {
  notifySystemd(state).catch((error: Error) =>
    logger.at("cmd/serve.ts").warn("failed to notify systemd", { state, error: error.message }),
  );
}
