/** What the runtime knows of where its time and memory go. Loaded only when somebody asks. */
import { Session } from "node:inspector";
import { Readable } from "node:stream";
import { getHeapSnapshot } from "node:v8";

/** A sample is taken this often. */
const samplingMicros = 1_000;

let isProfiling = false;

/** One profile is taken at a time in a process. */
export class ProfileInUseError extends Error {
  constructor() {
    super("Could not enable CPU profiling: cpu profiling already in use");
    this.name = "ProfileInUseError";
  }
}

/** What the processor does in the next `durationMs`, as a `.cpuprofile`. Ends early, with what it has, on `signal`. */
export async function cpuProfile(durationMs: number, signal: AbortSignal): Promise<string> {
  if (isProfiling) throw new ProfileInUseError();
  isProfiling = true;
  const session = new Session();
  session.connect();
  try {
    await post(session, "Profiler.enable");
    await post(session, "Profiler.setSamplingInterval", { interval: samplingMicros });
    await post(session, "Profiler.start");
    await wait(durationMs, signal);
    const { profile } = (await post(session, "Profiler.stop")) as { profile: unknown };
    return JSON.stringify(profile);
  } finally {
    session.disconnect();
    isProfiling = false;
  }
}

/** All objects in memory, as a `.heapsnapshot`. The whole process stands still while it is taken. */
export function heapSnapshot(): ReadableStream<Uint8Array> {
  return Readable.toWeb(getHeapSnapshot()) as ReadableStream<Uint8Array>;
}

function post(session: Session, method: string, parameters: object = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, parameters, (error, result) => (error ? reject(error) : resolve(result)));
  });
}

function wait(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
  });
}
