/** `verify` against a server that is made up: it must accept what is right and refuse each kind of wrong. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Random } from "../support/random.ts";
import type { Api, Change, Event } from "./api.ts";
import { LeaseBook } from "./lease-book.ts";
import { Model, WrongData } from "./model.ts";
import { type Findings, verify } from "./verify.ts";
import { Journal, type Operation } from "./workload.ts";

const put = (key: string, value: string, lease = 0n): Change => ({ key, value, lease });
const del = (key: string): Change => ({ key, value: undefined, lease: 0n });

/** A server that holds a history from revision 2 on. */
function serverOf(history: readonly (readonly Change[])[], changed: Partial<Api> = {}): Api {
  const model = new Model();
  for (const changes of history) model.append(changes);
  const server: Partial<Api> = {
    revision: async () => model.revision,
    hash: async (revision) => ({
      hash: JSON.stringify(model.rowsAt(revision), plain).length,
      compactRevision: 0,
    }),
    all: async (revision) => model.rowsAt(revision),
    leases: async () => [],
    watch(from: number, onEvents: (events: Event[]) => void) {
      const events = history.flatMap((changes, i) =>
        changes.map((change) => ({ ...change, revision: i + 2 })),
      );
      queueMicrotask(() => onEvents(events.filter((event) => event.revision >= from)));
      return { ended: Promise.resolve(), cancel: () => undefined } as unknown as ReturnType<Api["watch"]>;
    },
    ...changed,
  };
  return server as Api;
}

const plain = (_: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);

/** What the load knows: an acknowledged put, a transaction, and a delete whose outcome is open. */
function journalOf(): Journal {
  const journal = new Journal();
  const acknowledged: Operation[] = [
    { changes: [put("a", "1")], revision: 2 },
    { changes: [put("b", "2"), put("c", "3")], revision: 3 },
  ];
  journal.acknowledged.push(...acknowledged);
  journal.open.add({ changes: [put("d", "4"), del("a")], revision: undefined });
  journal.watched.push({ ...put("a", "1"), revision: 2 });
  journal.read.push({ key: "c", value: "3", modRevision: 3 });
  return journal;
}

const [first, second, open] = [[put("a", "1")], [put("b", "2"), put("c", "3")], [put("d", "4"), del("a")]];

function check(
  api: Api,
  options: { journal?: Journal; model?: Model; before?: Findings; leases?: LeaseBook } = {},
) {
  const known = {
    api,
    model: options.model ?? new Model(),
    leases: options.leases ?? new LeaseBook("bounded"),
    random: new Random(1),
    before: options.before,
  };
  return verify(known, options.journal ?? journalOf());
}

describe("the check after a kill", () => {
  it("accepts what is right, the open operation done or not", async () => {
    assert.equal((await check(serverOf([first, second]))).openDone, 0);
    assert.equal((await check(serverOf([first, second, open]))).openDone, 1);
    assert.equal((await check(serverOf([first, second]))).acknowledged, 2);
  });
  const wrong: [string, readonly (readonly Change[])[]][] = [
    ["an acknowledged operation that is lost", [first]],
    ["one that is half there", [first, [put("b", "2")]]],
    ["one at another revision", [second, first]],
    ["another value", [first, [put("b", "2"), put("c", "other")]]],
    ["an open operation that is half done", [first, second, [put("d", "4")]]],
    ["an open operation that is done twice", [first, second, open, open]],
    ["something that nobody did", [first, second, [put("x", "1")]]],
  ];
  for (const [what, history] of wrong) {
    it(`refuses ${what}`, () => assert.rejects(check(serverOf(history)), WrongData));
  }
  it("refuses a state that does not follow from the history", async () => {
    const all = async () => [];
    await assert.rejects(check(serverOf([first, second], { all })), WrongData);
  });
  it("refuses what a watcher or a reader was shown and is not there", async () => {
    const watched = journalOf();
    watched.watched.push({ ...put("d", "4"), revision: 4 });
    await assert.rejects(check(serverOf([first, second]), { journal: watched }), WrongData);
    const read = journalOf();
    read.read.push({ key: "d", value: "4", modRevision: 4 });
    await assert.rejects(check(serverOf([first, second]), { journal: read }), WrongData);
  });
  it("refuses a revision that has become something else", async () => {
    const model = new Model();
    const before = await check(serverOf([first, second]), { model });
    await check(serverOf([first, second]), { model, before, journal: new Journal() });
    const other = serverOf([[put("a", "other")], second]);
    await assert.rejects(check(other, { model, before, journal: new Journal() }), WrongData);
    await assert.rejects(check(serverOf([first]), { model, before, journal: new Journal() }), WrongData);
  });
  it("refuses another hash of the same revision", async () => {
    const model = new Model();
    const before = await check(serverOf([first, second]), { model });
    const hash = async () => ({ hash: 1, compactRevision: 0 });
    const other = serverOf([first, second], { hash });
    await assert.rejects(
      check(other, { model, before, journal: new Journal() }),
      /hash of revision 3 has changed/,
    );
  });
  it("refuses a compaction that is undone, or that nobody asked for", async () => {
    const journal = journalOf();
    journal.compactionAsked = 2;
    journal.compactedTo = 2;
    await assert.rejects(check(serverOf([first, second]), { journal }), WrongData);
    const hash = async () => ({ hash: 1, compactRevision: 3 });
    await assert.rejects(check(serverOf([first, second], { hash })), WrongData);
  });
});

describe("leases after a kill", () => {
  const journal = () => {
    const made = new Journal();
    made.acknowledged.push({ changes: [put("a", "1", 7n)], revision: 2 });
    return made;
  };
  const book = (sentAt: number) => {
    const leases = new LeaseBook("bounded");
    leases.granting(7n, 1000);
    leases.promised(7n, sentAt);
    return leases;
  };
  const history = [[put("a", "1", 7n)]];
  const alive = {
    leases: async () => [7n],
    timeToLive: async () => ({ ttl: 998, grantedTtl: 1000, keys: ["a"] }),
  };

  it("accepts one that is there, and one that ended in its time", async () => {
    await check(serverOf(history, alive), { journal: journal(), leases: book(performance.now()) });
    const ended = serverOf([...history, [del("a")]]);
    const found = await check(ended, { journal: journal(), leases: book(performance.now() - 1_001_000) });
    assert.equal(found.leaseEnds, 1);
  });
  it("refuses one that ended early, with or without its keys", async () => {
    const now = () => book(performance.now());
    await assert.rejects(
      check(serverOf([...history, [del("a")]]), { journal: journal(), leases: now() }),
      WrongData,
    );
    await assert.rejects(check(serverOf(history), { journal: journal(), leases: now() }), WrongData);
  });
  it("refuses one that nobody asked for, and one with other keys", async () => {
    const unknown = new LeaseBook("bounded");
    await assert.rejects(check(serverOf(history, alive), { journal: journal(), leases: unknown }), WrongData);
    const timeToLive = async () => ({ ttl: 998, grantedTtl: 1000, keys: [] });
    const other = serverOf(history, { ...alive, timeToLive });
    await assert.rejects(check(other, { journal: journal(), leases: book(performance.now()) }), WrongData);
  });
});
