/** `lock`: holds a lock until it is interrupted, or while another program runs. */
import { Mutex } from "../../client/concurrency/mutex.ts";
import { Session } from "../../client/concurrency/session.ts";
import { range } from "../../client/methods/kv.ts";
import type { CtlCall } from "../call.ts";
import { badArguments, Exit, ExitCode, orExit } from "../exit.ts";
import { runChild } from "../run-child.ts";
import { aborted, untilSignal } from "../signals.ts";

export async function lock(call: CtlCall): Promise<undefined> {
  const [name, ...program] = call.args;
  if (name === undefined) {
    return badArguments("lock takes a lock name argument and an optional command to execute");
  }
  const client = await call.client();
  const ttl = Number(call.flags.int("ttl"));
  const session = await orExit(Session.open(client, ttl > 0 ? ttl : 60));
  const mutex = new Mutex(session, name);
  const signal = untilSignal();
  await orExit(mutex.lock(signal));
  if (program.length > 0) return runLocked(call, mutex, program);
  const answer = await orExit(client.unary(range, { key: Buffer.from(mutex.key) }, { signal }));
  if (answer.kvs.length === 0) throw new Exit(ExitCode.error, "lock lost on init");
  await call.display("get", answer);
  const isOver = await Promise.race([
    aborted(signal).then(() => false),
    session.ended.then(() => !signal.aborted),
  ]);
  if (isOver) throw new Exit(ExitCode.error, "session expired");
  await orExit(mutex.unlock());
}

async function runLocked({ io }: CtlCall, mutex: Mutex, program: readonly string[]): Promise<undefined> {
  const lockOf = { ETCD_LOCK_KEY: mutex.key, ETCD_LOCK_REV: String(mutex.revision) };
  const { status, problem } = await runChild(program, { ...lockOf, ...io.env });
  const unlocked = await mutex.unlock().catch((error: Error) => error);
  if (problem !== undefined) throw new Exit(status, problem);
  if (unlocked instanceof Error) throw new Exit(ExitCode.error, unlocked.message);
}
