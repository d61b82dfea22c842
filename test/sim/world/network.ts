/**
 * The network between simulated members. Every message may be lost, late, doubled or overtaken; links may be cut in one
 * direction or both. What crosses it is bytes, encoded and decoded as on a real one.
 */
import { decodeMessage, encodeMessage } from "../../../src/codec/raft-message.ts";
import type { MemberId } from "../../../src/lib/ids.ts";
import type { Prng } from "../../../src/lib/prng.ts";
import { type Message, MessageType } from "../../../src/lib/raft-message.ts";
import type { Events } from "./events.ts";

/** Whoever can be reached: a member by its process, while that lives. */
export interface Station {
  readonly name: string;
  readonly isUp: boolean;
  receive(message: Message, from: Station): void;
  reportUnreachable(id: MemberId): void;
}

export interface NetworkSettings {
  /** Parts of all messages. */
  lost: number;
  doubled: number;
  /** Late by up to `lateMs`. */
  late: number;
  lateMs: number;
  /** The usual time of a message. */
  minMs: number;
  maxMs: number;
}

export const kindNetwork: NetworkSettings = { lost: 0, doubled: 0, late: 0, lateMs: 0, minMs: 0.2, maxMs: 2 };

export class Network {
  readonly #events: Events;
  readonly #random: Prng;
  readonly #byId = new Map<MemberId, Station>();
  /** Cut directions, as "from>to" of station names. */
  readonly #cuts = new Set<string>();
  /** Since when the two can reach each other, as far as the links go. */
  readonly #linkedSinceMs = new Map<string, number>();
  readonly #upSinceMs = new Map<string, number>();
  settings: NetworkSettings = kindNetwork;
  lostCount = 0;
  sentCount = 0;

  constructor(events: Events, random: Prng) {
    this.#events = events;
    this.#random = random;
  }

  register(id: MemberId, station: Station): void {
    this.#byId.set(id, station);
    this.#upSinceMs.set(station.name, this.#events.nowMs);
  }

  station(id: MemberId): Station | undefined {
    return this.#byId.get(id);
  }

  cut(from: Station, to: Station): void {
    this.#cuts.add(`${from.name}>${to.name}`);
    this.#linkedSinceMs.set(pairOf(from, to), Number.POSITIVE_INFINITY);
  }

  heal(): void {
    this.#cuts.clear();
    for (const pair of this.#linkedSinceMs.keys()) this.#linkedSinceMs.set(pair, this.#events.nowMs);
  }

  get isWhole(): boolean {
    return this.#cuts.size === 0;
  }

  isCut(from: Station, to: Station): boolean {
    return this.#cuts.has(`${from.name}>${to.name}`);
  }

  /** Since when two members have been connected; undefined if they are not. */
  connectedSinceMs(from: Station, id: MemberId): number | undefined {
    const to = this.#byId.get(id);
    if (to === undefined || !to.isUp || this.isCut(from, to) || this.isCut(to, from)) return undefined;
    const linkedMs = this.#linkedSinceMs.get(pairOf(from, to)) ?? 0;
    return Math.max(linkedMs, this.#upSinceMs.get(from.name) ?? 0, this.#upSinceMs.get(to.name) ?? 0);
  }

  sendMessage(from: Station, message: Message): void {
    const bytes = encodeMessage(message);
    // Raft does not mind messages that come twice, but for proposals on their way to the leader: a transport that doubles
    // those would double a client's write. None does; TCP sees to that.
    const isDoubled = this.#random.chance(this.settings.doubled) && message.type !== MessageType.prop;
    const copies = isDoubled ? 2 : 1;
    const arrive = (to: Station | undefined) => {
      if (to === undefined) {
        // Transports notice some of what they lose.
        if (this.#random.chance(0.3)) this.#back(() => from.reportUnreachable(message.to));
      } else {
        to.receive(decodeMessage(bytes), from);
      }
    };
    for (let i = 0; i < copies; i++) this.#carry(from, () => this.#byId.get(message.to), arrive);
  }

  /** A question and its answer. Rejects when either gets lost, after a while as whoever asks would. */
  ask<T>(from: Station, id: MemberId, answer: (to: Station) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = () => {
        this.#events.after(500 + this.#random.below(1500), () => reject(new Error("connection lost")));
      };
      const there = () => this.#byId.get(id);
      this.#carry(from, there, (to) => {
        if (to === undefined) {
          lose();
          return;
        }
        const back = (tell: () => void) => {
          this.#carry(
            to,
            () => from,
            (back) => (back === undefined ? lose() : tell()),
          );
        };
        answer(to).then(
          (value) => back(() => resolve(value)),
          (error: unknown) => back(() => reject(error)),
        );
      });
    });
  }

  /** Takes something from one to another; `arrive` is told who has it, or undefined when it is lost. */
  #carry(from: Station, find: () => Station | undefined, arrive: (to: Station | undefined) => void): void {
    const { lost, late, lateMs, minMs, maxMs } = this.settings;
    const random = this.#random;
    const isLate = random.chance(late);
    const delayMs = isLate ? random.float() * lateMs : minMs + random.float() * (maxMs - minMs);
    const isLost = random.chance(lost);
    this.sentCount++;
    this.#events.after(delayMs, () => {
      const to = find();
      const arrives = !isLost && to !== undefined && to.isUp && !this.isCut(from, to);
      if (!arrives) this.lostCount++;
      arrive(arrives ? to : undefined);
    });
  }

  #back(run: () => void): void {
    this.#events.after(1 + this.#random.below(20), run);
  }
}

const pairOf = (a: Station, b: Station): string => [a.name, b.name].sort().join("-");
