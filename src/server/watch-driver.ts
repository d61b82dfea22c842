/** Has events delivered to watchers: after each apply, and when a receiver can take more. One delivery at a time. */
import type { EtcdError } from "../errors/etcd-error.ts";
import type { Clock } from "../lib/clock.ts";
import type { Steps } from "../lib/steps.ts";
import type { WatchHub } from "../mvcc/watch/watch-hub.ts";

export interface WatchDriverOptions {
  readonly hub: WatchHub;
  readonly clock: Clock;
  readonly runSteps: (steps: Steps<void>, done: () => void, failed: (error: EtcdError) => void) => void;
  readonly onFatal: (error: Error) => void;
}

export class WatchDriver {
  readonly #options: WatchDriverOptions;
  #scheduled = false;
  #running = false;

  constructor(options: WatchDriverOptions) {
    this.#options = options;
    options.hub.onWork = () => this.#later();
  }

  /** To be called after entries were applied. */
  applied(): void {
    if (!this.#running && this.#options.hub.hasWork) this.#run();
  }

  /** Work that comes from a client's request waits for the next turn: the client is told its watch id first. */
  #later(): void {
    if (this.#scheduled || this.#running) return;
    this.#scheduled = true;
    this.#options.clock.nextTurn(() => {
      this.#scheduled = false;
      this.applied();
    });
  }

  #run(): void {
    const { hub, runSteps, onFatal } = this.#options;
    this.#running = true;
    const ended = () => {
      this.#running = false;
      if (hub.hasWork) this.#later();
    };
    runSteps(hub.deliver(), ended, onFatal);
  }
}
