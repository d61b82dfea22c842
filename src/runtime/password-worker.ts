/**
 * The thread that works on passwords: bcrypt takes tens of milliseconds on purpose, and the event loop has none. It
 * answers one message after the other.
 *
 * `bcryptjs` on every runtime: Bun's own bcrypt was 10% faster here, but it refuses empty passwords and hashes long ones
 * first, and so differs from etcd.
 */
import { timingSafeEqual } from "node:crypto";
import { setPriority } from "node:os";
import { parentPort } from "node:worker_threads";
import { genSaltSync, hashSync } from "bcryptjs";
import type { PasswordWork } from "../lib/password-work.ts";

/** What the rest of the process does goes before this when the processors are busy; but on a machine with many other
 * programs a login must not wait for all of them. */
const niceness = 5;

/** Version, cost and salt, and the rest. Go's bcrypt heeds neither the letter of the version nor its absence. */
const shape = /^\$2[^$]?\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/s;
const costMin = 4;
const costMax = 31;

function hash(password: string, cost: number): string {
  return hashSync(password, genSaltSync(cost).replace(/^\$2b/, "$2a"));
}

/** As Go's bcrypt: of a long password the first 72 bytes count, and what is no hash matches nothing. */
function matches(password: string, hashed: string): boolean {
  const [, cost, salt, sum] = shape.exec(hashed) ?? [];
  if (sum === undefined || Number(cost) < costMin || Number(cost) > costMax) return false;
  const computed = hashSync(password, `$2a$${cost}$${salt}`);
  return timingSafeEqual(Buffer.from(computed.slice(-sum.length)), Buffer.from(sum));
}

const port = parentPort!;

// On Linux this is about the calling thread alone; elsewhere it would be about the whole process.
if (process.platform === "linux") {
  try {
    setPriority(0, niceness);
  } catch {
    // Not allowed here: then it works at the same priority as the rest.
  }
}

port.on("message", (work: PasswordWork) => {
  port.postMessage(work.kind === "hash" ? hash(work.password, work.cost) : matches(work.password, work.hash));
});
