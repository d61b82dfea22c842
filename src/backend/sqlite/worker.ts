/** The writer's thread. */
import { parentPort, workerData } from "node:worker_threads";
import { sqliteDriver } from "../../runtime/sqlite.ts";
import { toBackendError, toFailure } from "./failures.ts";
import type { Reply, Request, WorkerStart } from "./protocol.ts";
import { SqliteWriter } from "./writer.ts";

/** After so long without a request the -wal file is brought home and memory is given back. Not sooner: a member that
 * writes a little every few seconds should not sync its disk for each. */
const restAfterMs = 10_000;

const port = parentPort!;
const start = workerData as WorkerStart;

/** Requests that came before the file was open. */
const early: Request[] = [];
let writer: SqliteWriter | undefined;
let restTimer: ReturnType<typeof setTimeout> | undefined;

function send(reply: Reply): void {
  const buffer = reply.ok ? reply.buffer : undefined;
  if (buffer) port.postMessage(reply, [buffer]);
  else port.postMessage(reply);
}

function standing(open: SqliteWriter) {
  return { state: open.state, durable: open.durable, sizes: open.sizes() };
}

function answer(open: SqliteWriter, request: Request): Reply {
  let removed = 0;
  let done = true;
  switch (request.kind) {
    case "write":
      open.write(request.buffer);
      return { ok: true, standing: standing(open), removed, done, buffer: request.buffer };
    case "compact":
      ({ removed, done } = open.compact(request.revision, request.budgetMs));
      break;
    case "vacuum":
      done = open.vacuum(request.budgetMs);
      break;
    case "checkpoint":
      open.checkpoint();
      break;
    case "sync":
      open.sync();
      break;
    case "close": {
      const last = standing(open);
      open.close();
      return { ok: true, standing: last, removed, done };
    }
  }
  return { ok: true, standing: standing(open), removed, done };
}

function handle(request: Request): void {
  if (!writer) {
    early.push(request);
    return;
  }
  clearTimeout(restTimer);
  try {
    send(answer(writer, request));
  } catch (error) {
    send({ ok: false, failure: toFailure(toBackendError(error, start.file)) });
  }
  // The main thread ends this one then.
  if (request.kind === "close") return;
  // After the answer: whoever waits for it need not wait for this.
  atLeisure(() => writer?.needsCheckpoint && writer.checkpoint());
  restTimer = setTimeout(() => atLeisure(() => writer?.rest()), restAfterMs);
}

/** For what nobody waits for. If it fails, the writer remembers, and the next request is told. */
function atLeisure(action: () => void): void {
  try {
    action();
  } catch (error) {
    writer?.giveUp(error);
  }
}

port.on("message", handle);

sqliteDriver(start.driver).then(
  (driver) => {
    try {
      writer = new SqliteWriter(driver, start.file, start.options);
    } catch (error) {
      send({ ok: false, failure: toFailure(toBackendError(error, start.file)) });
      return;
    }
    send({ ok: true, standing: standing(writer), removed: 0, done: true });
    for (const request of early.splice(0)) handle(request);
  },
  (error: unknown) => {
    send({ ok: false, failure: toFailure(toBackendError(error, start.file)) });
  },
);
