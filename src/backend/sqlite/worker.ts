/** The writer's thread. */
import { parentPort, workerData } from "node:worker_threads";
import { collectNow } from "../../runtime/garbage.ts";
import { sqliteDriver } from "../../runtime/sqlite.ts";
import { answer, standingOf } from "./answer.ts";
import { toBackendError, toFailure } from "./failures.ts";
import type { Reply, Request, WorkerStart } from "./protocol.ts";
import { SqliteWriter } from "./writer.ts";

/** After so long without a request the -wal file is brought home and memory is given back. Not sooner: a member that
 * writes a little every few seconds should not sync its disk for each. */
const restAfterMs = 10_000;

/** Bytes of generations between two collections of garbage. */
const collectBytes = 8 * 1024 * 1024;
let uncollectedBytes = 0;
/** Bytes of generations between two syncs of the -wal file. */
const syncBytes = 1024 * 1024;
let unsyncedBytes = 0;

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

function handle(request: Request): void {
  if (!writer) {
    early.push(request);
    return;
  }
  clearTimeout(restTimer);
  // Before the buffer goes back with the answer.
  const writtenBytes = request.kind === "write" ? request.buffer.byteLength : 0;
  try {
    send(answer(writer, request));
  } catch (error) {
    send({ ok: false, failure: toFailure(toBackendError(error, start.file)) });
  }
  // The main thread ends this one then.
  if (request.kind === "close") return;
  // After the answer: whoever waits for it need not wait for this.
  atLeisure(() => writer?.needsCheckpoint && writer.checkpoint());
  syncAfter(writtenBytes);
  collectAfter(writtenBytes);
  restTimer = setTimeout(() => atLeisure(() => writer?.rest()), restAfterMs);
}

/** A sync of much at once holds up the log's: what is written often is brought to the disk in smaller portions. */
function syncAfter(writtenBytes: number): void {
  unsyncedBytes += writtenBytes;
  if (unsyncedBytes < syncBytes) return;
  unsyncedBytes = 0;
  atLeisure(() => writer?.syncSome());
}

/** Rows become garbage as they are written. Nobody waits for this thread's event loop, but everybody for its memory. */
function collectAfter(writtenBytes: number): void {
  uncollectedBytes += writtenBytes;
  if (uncollectedBytes < collectBytes) return;
  uncollectedBytes = 0;
  collectNow();
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
    send({ ok: true, standing: standingOf(writer), removed: 0, looked: 0, done: true });
    for (const request of early.splice(0)) handle(request);
  },
  (error: unknown) => {
    send({ ok: false, failure: toFailure(toBackendError(error, start.file)) });
  },
);
