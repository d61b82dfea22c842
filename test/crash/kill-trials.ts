import type { Random } from "../support/random.ts";
import { eventually } from "../support/report.ts";
import { ServerProcess } from "../support/server-process.ts";
import { Api } from "./api.ts";
import { LeaseBook, type LeaseRestart } from "./lease-book.ts";
import { Model } from "./model.ts";
import { type Findings, verify } from "./verify.ts";
import { Journal, runLoad, settle } from "./workload.ts";

export interface KillOptions {
  readonly program: string;
  readonly folder: string;
  readonly random: Random;
  readonly kills: number;
  readonly workers: number;
  readonly leaseRestart: LeaseRestart;
  readonly flags: readonly string[];
  /** Makes the connections of the load. */
  readonly api?: (url: string) => Api;
}

/** The numbers of a run, to see that it did what it was meant to. */
export interface KillTotals {
  kills: number;
  killsWhileStarting: number;
  terms: number;
  acknowledged: number;
  openDone: number;
  leaseEnds: number;
  revision: number;
  readonly startMs: number[];
}

/** The server under trial with all that is known of it. */
export class Trial {
  readonly model = new Model();
  readonly leases: LeaseBook;
  readonly totals: KillTotals = {
    kills: 0,
    killsWhileStarting: 0,
    terms: 0,
    acknowledged: 0,
    openDone: 0,
    leaseEnds: 0,
    revision: 0,
    startMs: [],
  };
  server: ServerProcess | undefined;
  #findings: Findings | undefined;
  #round = 0;
  readonly #options: KillOptions;

  constructor(options: KillOptions) {
    this.#options = options;
    this.leases = new LeaseBook(options.leaseRestart);
  }

  /** Starts the server; now and then it is killed before it is ready. */
  async start(mayBeKilled: boolean): Promise<ServerProcess> {
    const { program, folder, random, flags } = this.#options;
    const ports = this.server && { clientPort: this.server.clientPort, peerPort: this.server.peerPort };
    while (mayBeKilled && random.chance(1 / 7)) {
      const early = await ServerProcess.start({ program, folder, flags, ...ports });
      await sleep(random.below(Math.max(20, Math.min(1_000, 1.2 * (this.totals.startMs.at(-1) ?? 100)))));
      await early.kill();
      this.totals.kills++;
      this.totals.killsWhileStarting++;
    }
    this.server = await ServerProcess.start({ program, folder, flags, ...ports });
    this.totals.startMs.push(await this.server.ready());
    return this.server;
  }

  /**
   * Lets the load run for a while, then ends the server in the way that `end` says, if it does, and waits for the load.
   */
  async load(ms: number, end?: (server: ServerProcess) => Promise<unknown>): Promise<Journal> {
    const server = this.server as ServerProcess;
    const { api = (url: string) => new Api(url) } = this.#options;
    const apis = Array.from({ length: 4 }, () => api(server.url));
    const journal = new Journal();
    const stopping = { now: false };
    let isEnding = false;
    const { random, workers } = this.#options;
    const round = (this.#round++).toString(36);
    const load = runLoad({
      apis,
      model: this.model,
      leases: this.leases,
      journal,
      random,
      workers,
      round,
      stopping,
      isEnding: () => isEnding,
    });
    await sleep(ms);
    const endedAt = performance.now();
    isEnding = end !== undefined;
    await end?.(server);
    stopping.now = true;
    await load;
    if (journal.timeouts > 0) console.error(`${journal.timeouts} calls timed out: does the disk stall?`);
    if (!isEnding && journal.open.size > 0) await settle(apis[0] as Api, journal, round);
    for (const api of apis) api.close();
    this.#endedAt = endedAt;
    return journal;
  }
  #endedAt = 0;

  /** Checks the server, which has just started again. */
  async check(journal: Journal): Promise<Findings> {
    this.leases.restarted(this.#endedAt);
    return this.checkWithoutRestart(journal);
  }

  async checkWithoutRestart(journal: Journal): Promise<Findings> {
    const api = new Api((this.server as ServerProcess).url);
    try {
      const { model, leases } = this;
      const random = this.#options.random;
      const found = await verify({ api, model, leases, random, before: this.#findings }, journal);
      this.totals.acknowledged += found.acknowledged;
      this.totals.openDone += found.openDone;
      this.totals.leaseEnds += found.leaseEnds;
      this.totals.revision = found.revision;
      this.#findings = found;
      return found;
    } finally {
      api.close();
    }
  }

  /** All leases end in their time when the server is left alone, and their keys with them. */
  async checkLeasesEnd(): Promise<void> {
    const api = new Api((this.server as ServerProcess).url);
    const timeoutMs = this.leases.allGoneBy - performance.now();
    await eventually("all leases have ended", async () => (await api.leases()).length === 0, {
      timeoutMs,
      everyMs: 200,
    });
    api.close();
    await this.checkWithoutRestart(new Journal());
  }
}

/** Throws `WrongData` at the first thing that is wrong. */
export async function killTrials(options: KillOptions): Promise<KillTotals> {
  const { random } = options;
  const trial = new Trial(options);
  await trial.start(false);
  while (trial.totals.kills < options.kills) {
    const ms = random.chance(0.07) ? 3_000 + random.below(3_000) : 10 + random.below(700);
    const clean = random.chance(0.06);
    const journal = await trial.load(ms, async (server) => {
      if (clean) await server.stop(10_000);
      else await server.kill();
    });
    if (clean) trial.totals.terms++;
    else trial.totals.kills++;
    await trial.start(true);
    await trial.check(journal);
    progress(trial.totals);
  }
  await trial.checkLeasesEnd();
  await trial.server?.stop();
  return trial.totals;
}

function progress(totals: KillTotals): void {
  if (totals.kills % 10 !== 0) return;
  console.error(`${totals.kills} kills, revision ${totals.revision}, ${totals.acknowledged} acknowledged`);
}

/** True for errors that say that the server could not be asked, and not that it answered wrongly. */
export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
