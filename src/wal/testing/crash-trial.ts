/**
 * Trials with crashes: random batches go to a simulated disk, the power fails at some operation, and what is found
 * afterwards has to be the log after some batch, with everything acknowledged in it. Each trial is one seed.
 */
import type { RaftIndex } from "../../lib/ids.ts";
import { Prng } from "../../lib/prng.ts";
import { FaultDisk } from "../../lib/testing/fault-disk.ts";
import { openWal } from "../open.ts";
import type { Wal, WalContents, WalOptions } from "../wal.ts";
import {
  describeContents,
  describeState,
  emptyModel,
  type ModelState,
  randomBatch,
  withBatch,
} from "./log-model.ts";
import { TestClock } from "./test-clock.ts";

export const testDir = "/data/log";
export const testMetadata = Uint8Array.from([8, 1, 16, 2]);

export function optionsFor(disk: FaultDisk, random: Prng, segmentBytes = 16 * 1024): WalOptions {
  return {
    dir: testDir,
    metadata: testMetadata,
    segmentBytes,
    disk,
    clock: new TestClock(),
    random: () => random.below(2 ** 32),
  };
}

/** A log with a model beside it. */
export class Recorder {
  /** The state after each batch; the first is that of the empty log. */
  readonly states: ModelState[];
  /** `states[acked]` is the newest that has been acknowledged. */
  acked = 0;
  /** Entries up to this one need not be there any more. */
  released = 0;
  readonly wal: Wal;
  readonly #pending: Promise<void>[] = [];

  constructor(wal: Wal, start: ModelState = emptyModel) {
    this.wal = wal;
    this.states = [start];
  }

  /** Saves a random batch; `done` is not waited for. */
  save(random: Prng): void {
    const batch = randomBatch(this.states.at(-1)!, random);
    this.states.push(withBatch(this.states.at(-1)!, batch));
    const number = this.states.length - 1;
    this.#pending.push(
      new Promise((resolve) => {
        this.wal.save(batch, (error) => {
          if (error === undefined) {
            if (number !== this.acked + 1) throw new Error(`acknowledged ${number} after ${this.acked}`);
            this.acked = number;
          }
          resolve();
        });
      }),
    );
  }

  /** Releases some entries that are durably committed. */
  release(random: Prng): void {
    const { hardState } = this.states[this.acked]!;
    this.released += random.below(Math.max(hardState.commit - this.released, 0) + 1);
    this.wal.release(this.released as RaftIndex, 1 + random.below(2));
  }

  async settle(): Promise<void> {
    await Promise.all(this.#pending.splice(0));
  }
}

/** What a crash left, and what has to be in it. */
export interface Survivor {
  readonly disk: FaultDisk;
  readonly states: readonly ModelState[];
  readonly acked: number;
  readonly released: number;
}

/** Throws unless `contents` is the log after one of the batches from `acked` to the last. Gives which. */
export function checkContents(
  contents: WalContents,
  { states, acked, released }: Omit<Survivor, "disk">,
): number {
  const found = describeContents(contents);
  const commit = contents.hardState?.commit ?? 0;
  for (let i = states.length - 1; i >= acked; i--) {
    const state = states[i]!;
    if (commit <= state.hardState.commit && describeState(state, released) === found) return i;
  }
  const wanted = describeState(states[acked]!, released);
  throw new Error(
    `the log is none of those after batches ${acked} to ${states.length - 1}:\nfound ${found}\nacknowledged ${wanted}`,
  );
}

/**
 * Opens what a crash left and compares it; loses power again, since what a member has read it counts on; then appends
 * and opens once more.
 */
export async function checkSurvivor(survivor: Survivor, random: Prng): Promise<void> {
  const { disk, states, released } = survivor;
  const from = released as RaftIndex;
  const { wal, contents } = await openWal(optionsFor(disk, random), from);
  const read = checkContents(contents, survivor);
  const second = await openWal(optionsFor(disk.afterPowerLoss(random), random), from);
  checkContents(second.contents, { states: [states[read]!], acked: 0, released });
  await second.wal.close();
  const commit = contents.hardState?.commit ?? (0 as RaftIndex);
  const recorder = new Recorder(wal, { ...states[read]!, hardState: { ...states[read]!.hardState, commit } });
  for (let i = 0; i < 3; i++) recorder.save(random);
  await wal.close();
  await recorder.settle();
  const third = await openWal(optionsFor(disk, random), from);
  checkContents(third.contents, { states: recorder.states, acked: 3, released });
  await third.wal.close();
}

/**
 * One run of `batches` batches, with the power failing at each of its disk operations in turn (every `step`th), in
 * `losses` ways each. Rejects with the first thing that is wrong. Gives the number of crashes tried.
 */
export async function crashTrial(
  seed: number,
  batches: number,
  step: number,
  losses: number,
): Promise<number> {
  const random = new Prng(seed);
  const disk = new FaultDisk();
  const crashes: { disk: FaultDisk; acked: number; saved: number; released: number; operation: string }[] =
    [];
  let recorder: Recorder | undefined;
  let operations = 0;
  disk.hook = ({ kind, path }) => {
    if (operations++ % step !== seed % step) return undefined;
    const operation = `${kind} ${path} (operation ${operations - 1})`;
    const saved = (recorder?.states.length ?? 1) - 1;
    const { acked, released } = recorder ?? { acked: 0, released: 0 };
    for (let i = 0; i < losses; i++) {
      const left = random.chance(0.2) ? disk.afterKill() : disk.afterPowerLoss(random);
      crashes.push({ disk: left, acked, saved, released, operation });
    }
    return undefined;
  };
  const { wal } = await openWal(optionsFor(disk, random), 0 as RaftIndex);
  recorder = new Recorder(wal);
  for (let i = 0; i < batches; i++) {
    recorder.save(random);
    if (random.chance(0.5)) await recorder.settle();
    if (random.chance(0.1)) recorder.release(random);
  }
  await recorder.settle();
  await wal.close();
  for (const { saved, operation, ...crash } of crashes) {
    try {
      await checkSurvivor({ ...crash, states: recorder.states.slice(0, saved + 1) }, new Prng(seed, 1));
    } catch (error) {
      const reason = (error as Error).message;
      throw new Error(`seed ${seed}, power lost at ${operation}: ${reason}`, { cause: error });
    }
  }
  return crashes.length;
}
