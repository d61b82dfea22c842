/**
 * Runs long reads in slices, a few milliseconds in each turn of the event loop for all of them together, each getting its
 * share in turn: however many and large they are, everything else goes on.
 */
import { EtcdError } from "../errors/etcd-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Steps } from "../lib/steps.ts";

/** For all slices of one turn together, in milliseconds. A write needs about three turns, and each waits for this. */
const turnBudgetMs = 1.5;
/** What one job may use up before the next gets its share. */
const sliceMs = 0.5;

interface Job {
  /** Runs a piece; true when there is no more to do. */
  run(): boolean;
  isCancelled(): boolean;
}

export class Slices {
  readonly #clock: Clock;
  #jobs: Job[] = [];
  #scheduled = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many jobs are under way. */
  get active(): number {
    return this.#jobs.length;
  }

  /**
   * Runs `steps` to its end over as many turns as it takes, starting now. `done` or `failed` is called at the end, neither
   * if `isCancelled` says so before: then the work stops where it is.
   */
  run<T>(
    steps: Steps<T>,
    done: (value: T) => void,
    failed: (error: EtcdError) => void,
    isCancelled: () => boolean,
  ): void {
    const job: Job = {
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
    if (this.#runSlice(job, this.#clock.monotonicMs() + sliceMs)) return;
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

  /** True when the job is over. */
  #runSlice(job: Job, endMs: number): boolean {
    do {
      if (job.isCancelled() || job.run()) return true;
    } while (this.#clock.monotonicMs() < endMs);
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
