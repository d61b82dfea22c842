/** Waits for the end: a signal, or something that the server cannot go on after. */
import type { Logger } from "../../lib/logger.ts";

export interface Stop {
  /** Resolves, once, with the status to end with. */
  readonly asked: Promise<number>;
  /** The server has come to an end by itself, and all is well. */
  readonly end: () => void;
  /** The server cannot go on. */
  readonly fatal: (error: Error) => void;
}

/** Go's words for the signals, which etcd's log has. */
const signalWords: Readonly<Record<string, string>> = { SIGTERM: "terminated", SIGINT: "interrupt" };

export function untilStopped(logger: Logger): Stop {
  let end!: (status: number) => void;
  const asked = new Promise<number>((resolve) => {
    end = resolve;
  });
  let signals = 0;
  const onSignal = (signal: NodeJS.Signals) => {
    signals++;
    // Somebody who asks twice does not want to wait.
    if (signals > 1) process.exit(1);
    logger
      .at("cmd/serve.ts")
      .warn("received signal; shutting down", { signal: signalWords[signal] ?? signal });
    end(0);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return {
    asked,
    end: () => end(0),
    fatal: (error) => {
      logger.at("cmd/serve.ts").fatal("the server cannot go on", { error: error.message });
      end(1);
    },
  };
}
