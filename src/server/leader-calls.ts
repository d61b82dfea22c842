/**
 * Questions that only the leader can answer: asked of it, wherever it is, until there is an answer or no time left.
 */
import { EtcdError } from "../errors/etcd-error.ts";
import { errors } from "../errors/table.ts";
import type { Clock } from "../lib/clock.ts";
import type { MemberId } from "../lib/ids.ts";
import type { Cluster } from "../membership/cluster.ts";
import type { Member } from "../membership/member.ts";

/** Between two attempts. */
const retryMs = 50;

export interface LeaderCallsOptions {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly leader: () => MemberId;
  readonly timeoutMs: number;
}

export class LeaderCalls {
  readonly #options: LeaderCallsOptions;
  #stopped = false;

  constructor(options: LeaderCallsOptions) {
    this.#options = options;
  }

  stop(): void {
    this.#stopped = true;
  }

  /**
   * Asks the leader of the moment, again and again if it cannot be reached or no longer leads. `answers` are the errors
   * that are an answer. Rejects with one of them, ErrTimeout, ErrNoLeader or ErrStopped.
   */
  async ask<T>(
    attempt: (leader: Member) => Promise<T>,
    answers: readonly { readonly text: string }[],
  ): Promise<T> {
    const { cluster, clock, leader, timeoutMs } = this.#options;
    const endMs = clock.monotonicMs() + timeoutMs;
    for (;;) {
      const member = cluster.member(leader());
      if (member !== undefined) {
        try {
          return await this.#inTime(attempt(member), endMs);
        } catch (error) {
          if (error instanceof EtcdError && answers.some(({ text }) => text === error.message)) throw error;
        }
      }
      if (this.#stopped) throw errors.stopped();
      if (clock.monotonicMs() >= endMs) throw member ? errors.timeout() : errors.noLeader();
      await new Promise<void>((resolve) => clock.after(retryMs, resolve));
    }
  }

  /** Whatever the other member does, there is an end. */
  #inTime<T>(answer: Promise<T>, endMs: number): Promise<T> {
    const { clock } = this.#options;
    return new Promise((resolve, reject) => {
      const timer = clock.after(endMs - clock.monotonicMs(), () => reject(errors.timeout()));
      answer.then(resolve, reject).finally(() => timer.cancel());
    });
  }
}
