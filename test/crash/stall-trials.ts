/** Disks that stall and disks that are slow, under the same load as the kills. */
import { join } from "node:path";
import { httpGet } from "../support/http.ts";
import type { Random } from "../support/random.ts";
import { type Report, skip } from "../support/report.ts";
import type { ServerProcess } from "../support/server-process.ts";
import { Api } from "./api.ts";
import { DiskStall, filesOf, type Part, whyNoStalls } from "./disk-stall.ts";
import { type KillOptions, sleep, Trial } from "./kill-trials.ts";
import { leaderStalls } from "./leader-stall.ts";
import { Endings, TimedApi } from "./timed-api.ts";
import type { Journal } from "./workload.ts";

export interface StallOptions extends Omit<KillOptions, "kills" | "random"> {
  readonly random: Random;
  readonly report: Report;
}

/** A request is given up after so long (etcd's 5 s and two election timeouts), and a busy machine takes a moment more. */
export const givenUpMs = 7_000;
export const busyMs = 3_000;
/** What has come to the disk when a stall begins is still acknowledged, for so long. */
const graceMs = 1_000;

export async function stallTrials(options: StallOptions): Promise<void> {
  const { report } = options;
  const why = whyNoStalls();
  if (why !== undefined) {
    await report.check("disks that stall", () => skip(why));
    return;
  }
  const trials = new StallTrials(options);
  await report.check("a log that stalls for 3 s acknowledges nothing, and then all", () => trials.log(3_000));
  await report.check("a log that stalls for 9 s refuses in etcd's time, and reads go on", () =>
    trials.log(9_000),
  );
  await report.check("a store that stalls for 5 s holds nobody up", () => trials.store(5_000));
  await report.check("each write to the log takes 200 ms", () => trials.slow(200, 4_000));
  await report.check("SIGTERM while the disk stalls ends the server when it does", () =>
    trials.ended("SIGTERM"),
  );
  await report.check("SIGKILL while the disk stalls loses nothing", () => trials.ended("SIGKILL"));
  await report.check("leases end in their time after all that", () => trials.finish());
  await report.check("a leader whose log stalls for 9 s hands over", () => leaderStalls(options, 9_000));
}

class StallTrials {
  readonly #options: StallOptions;
  readonly #trial: Trial;
  #endings = new Endings();

  constructor(options: StallOptions) {
    this.#options = options;
    this.#trial = new Trial({ ...options, kills: 0, api: (url) => new TimedApi(url, this.#endings) });
  }

  async #server(): Promise<ServerProcess> {
    return this.#trial.server ?? (await this.#trial.start(false));
  }

  #stall(server: ServerProcess, parts: readonly Part[], delayMs?: number): Promise<DiskStall> {
    const files = filesOf(server.dataFolder, parts);
    const traceFile = join(this.#options.folder, "strace");
    return DiskStall.begin({ pid: server.pid, files, traceFile, ...(delayMs && { delayMs }) });
  }

  /** Load with a stall in its middle, in which `during` runs. Then everything is checked. */
  async #under(parts: readonly Part[], ms: number, during: (began: number) => void, delayMs?: number) {
    const server = await this.#server();
    this.#endings = new Endings();
    const load = this.#trial.load(ms + 3_000);
    await sleep(800);
    const stall = await this.#stall(server, parts, delayMs);
    const reads = new Reads(server);
    await sleep(ms);
    during(stall.beganAt);
    await Promise.all([stall.end(), reads.stop()]);
    const journal = await load;
    this.#trial.leases.stalled(ms);
    await this.#trial.checkWithoutRestart(journal);
    const longestMs = this.#endings.longestMs;
    if (longestMs > givenUpMs + busyMs) throw new Error(`a write ended after ${Math.round(longestMs)} ms`);
    return { journal, reads };
  }

  async log(ms: number): Promise<void> {
    const { journal } = await this.#under(["log"], ms, (began) => {
      const count = this.#endings.acknowledged(began + graceMs, performance.now());
      if (count > 0) throw new Error(`${count} writes were acknowledged while the log stalled`);
    });
    this.#mustHaveRefused(journal, ms > givenUpMs);
  }

  #mustHaveRefused({ timeouts }: Journal, must: boolean): void {
    if (timeouts > 0 !== must) throw new Error(`${timeouts} calls timed out`);
  }

  async store(ms: number): Promise<void> {
    let acknowledged = 0;
    const { journal } = await this.#under(["store"], ms, (began) => {
      acknowledged = this.#endings.acknowledged(began + graceMs, performance.now());
    });
    if (acknowledged === 0) throw new Error("nothing was acknowledged while the store stalled");
    this.#mustHaveRefused(journal, false);
  }

  async slow(delayMs: number, ms: number): Promise<void> {
    let acknowledged = 0;
    const during = (began: number) => {
      acknowledged = this.#endings.acknowledged(began + graceMs, performance.now());
    };
    const { journal } = await this.#under(["log"], ms, during, delayMs);
    if (acknowledged === 0) throw new Error("nothing was acknowledged by a slow log");
    this.#mustHaveRefused(journal, false);
  }

  /** Ends the server two seconds into a stall of the whole disk, and looks what is there at the next start. */
  async ended(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.#server();
    const journal = await this.#trial.load(800, async (server) => {
      const stall = await this.#stall(server, ["log", "store"]);
      await sleep(2_000);
      server.signal(signal);
      await sleep(1_000);
      await (signal === "SIGTERM" ? stall.end() : stall.abandon());
      const endedAt = performance.now();
      if (signal === "SIGTERM") await server.stop(20_000);
      else await server.exited;
      const tookMs = performance.now() - endedAt;
      if (tookMs > busyMs) throw new Error(`it ended ${Math.round(tookMs)} ms after the disk went on`);
    });
    await this.#trial.start(false);
    await this.#trial.check(journal);
  }

  async finish(): Promise<void> {
    await this.#trial.checkLeasesEnd();
    await this.#trial.server?.stop();
  }
}

/** A reader while the disk stalls: none of its questions needs a write. */
class Reads {
  #stopping = false;
  readonly #done: Promise<void>;
  #answers = 0;

  constructor(server: ServerProcess) {
    this.#done = this.#run(server);
    this.#done.catch(() => undefined); // told by `stop`
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#done;
    if (this.#answers === 0) throw new Error("no read was answered");
  }

  async #run(server: ServerProcess): Promise<void> {
    const api = new Api(server.url);
    const livez = async () => {
      const { status, body } = await httpGet(server.clientPort, "/livez", givenUpMs);
      if (status !== 200) throw new Error(`/livez: ${status} ${body}`);
    };
    try {
      while (!this.#stopping) {
        await inTime("a linearizable read", api.revision());
        await inTime("/livez", livez());
        this.#answers++;
        await sleep(100);
      }
    } finally {
      api.close();
    }
  }
}

async function inTime(what: string, question: Promise<unknown>): Promise<void> {
  const askedAt = performance.now();
  await question;
  const tookMs = performance.now() - askedAt;
  if (tookMs > busyMs) throw new Error(`${what} took ${Math.round(tookMs)} ms`);
}
