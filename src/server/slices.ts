/**
 * Runs long reads in slices, a few milliseconds in each turn of the event loop for all of them together, each getting its
 * share in turn: however many and large they are, everything else goes on.
 */
import { EtcdError } from "../errors/etcd-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Steps } from "../lib/steps.ts";

/** For all slices of one turn together, in milliseconds. A write needs about three turns, and each waits for this. */
const turnBudgetMs = 1;
/** For jobs that are begun in one turn, which are begun at once; those that come after these wait for the next turn. */
const beginBudgetMs = 3;
/** What a job is taken to cost that was over before anybody looked at the clock. */
const leastCostMs = 0.02;
/** What one job may use up before the next gets its share. */
const sliceMs = 0.35;

/** Says when a job has to stand still, as when there is no room for what it reads. */
export interface Gate {
  mayGoOn(): boolean;
  /** Calls `resume` once when it may, or when the job is cancelled. */
  wait(resume: () => void): void;
}

interface Job {
  /** Runs a piece; true when there is no more to do. */
  run(): boolean;
  isCancelled(): boolean;
  readonly gate: Gate | undefined;
}

export class Slices {
  readonly #clock: Clock;
  #jobs: Job[] = [];
  #scheduled = false;
  /** Spent on beginning jobs since the last turn for the others. */
  #begunMs = 0;
  /** The time of the last look at the clock in a slice. */
  #lookedMs = 0;
  /** Jobs that wait at their gates. */
  #waiting = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many jobs are under way. */
  get active(): number {
    return this.#jobs.length + this.#waiting;
  }

  /**
   * Runs `steps` to its end over as many turns as it takes, starting now. `done` or `failed` is called at the end, neither
   * if `isCancelled` says so before: then the work stops where it is. While `gate` is closed it stands still and costs
   * nothing.
   */
  run<T>(
    steps: Steps<T>,
    done: (value: T) => void,
    failed: (error: EtcdError) => void,
    isCancelled: () => boolean,
    gate?: Gate,
  ): void {
    const job: Job = {
      gate,
      isCancelled: () => {
        if (!isCancelled()) return false;
        steps.return(undefined as T);
        return true;
      },
      run: () => {
        const step = attempt(steps);
        if ("error" in step) failed(step.error);
        else if (step.result.done) done(step.result.value);
        else return false;
        return true;
      },
    };
    if (this.#begunMs >= beginBudgetMs) {
      this.#goOnLater(job);
      return;
    }
    const startMs = this.#clock.monotonicMs();
    if (!this.#runSlice(job, startMs + sliceMs)) this.#goOnLater(job);
    this.#begunMs += Math.max(leastCostMs, this.#lookedMs - startMs);
  }

  #goOnLater(job: Job): void {
    this.#jobs.push(job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#clock.nextTurn(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    this.#begunMs = 0;
    let nowMs = this.#clock.monotonicMs();
    const endMs = nowMs + turnBudgetMs;
    do {
      const job = this.#jobs.shift();
      if (!job) return;
      if (!this.#runSlice(job, nowMs + sliceMs)) this.#jobs.push(job);
      nowMs = this.#clock.monotonicMs();
    } while (nowMs < endMs);
    if (this.#jobs.length > 0) this.#schedule();
  }

  /** True when the job is over, or waits: then nothing is to be done for it here. */
  #runSlice(job: Job, endMs: number): boolean {
    const { gate } = job;
    do {
      if (job.isCancelled()) return true;
      if (gate !== undefined && !gate.mayGoOn()) {
        this.#waiting++;
        gate.wait(() => {
          this.#waiting--;
          this.#goOnLater(job);
        });
        return true;
      }
      if (job.run()) return true;
      this.#lookedMs = this.#clock.monotonicMs();
    } while (this.#lookedMs < endMs);
    return false;
  }
}

function attempt<T>(steps: Steps<T>): { result: IteratorResult<undefined, T> } | { error: EtcdError } {
  try {
    return { result: steps.next() };
  } catch (error) {
    return { error: EtcdError.from(error) };
  }
}
