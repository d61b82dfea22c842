import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AnswerMemory } from "./answer-memory.ts";
import type { AnswerRoom, Reading } from "./answer-room.ts";
import { FakeClock } from "./testing/fake-clock.ts";

const limits = { connectionBytes: 100, serverBytes: 1000, largeBytes: 20, patienceMs: 1000 };

function setUp(more: Partial<typeof limits> = {}) {
  const clock = new FakeClock();
  const memory = new AnswerMemory(clock, { ...limits, ...more });
  const turns = () => {
    while (clock.pendingTurns > 0) clock.turn();
  };
  return { clock, memory, turns };
}

/** Stands still if it has to, and says so in `log`. */
function goOn(reading: Reading, log: string[], name: string): void {
  if (reading.mayGoOn()) log.push(name);
  else reading.wait(() => log.push(reading.isOver ? `${name} over` : name));
}

/** A large answer of `bytes` on its way. */
function large(room: AnswerRoom, bytes: number) {
  const answer = {
    pendingBytes: bytes,
    send(count: number) {
      answer.pendingBytes -= count;
      room.changePending(-count);
    },
  };
  room.changePending(bytes);
  room.addLarge(answer);
  return answer;
}

describe("the room of a connection", () => {
  it("lets calls begin in order, and keeps those out that have left", () => {
    const { memory, turns } = setUp();
    const room = memory.open();
    room.changePending(101);
    assert.ok(room.isCrowded);
    const log: string[] = [];
    room.waitFor(1, () => log.push("a"));
    const leave = room.waitFor(1, () => log.push("b"))!;
    room.waitFor(1, () => room.changePending(101));
    room.waitFor(1, () => log.push("c"));
    turns();
    assert.deepEqual(log, []);
    leave();
    room.changePending(-50);
    assert.ok(room.isCrowded, "who comes now comes after those who wait");
    turns();
    assert.deepEqual(log, ["a"], "the third has filled it again");
    room.changePending(-101);
    turns();
    assert.deepEqual(log, ["a", "c"]);
    assert.equal(memory.waitingCalls, 0);
  });

  it("takes no more requests than it may keep", () => {
    const room = setUp().memory.open();
    room.changePending(101);
    const leave = room.waitFor(60, () => {})!;
    assert.equal(
      room.waitFor(60, () => {}),
      undefined,
    );
    leave();
    assert.ok(room.waitFor(60, () => {}));
  });

  it("has place for one large answer besides, read or on its way", () => {
    const { memory, turns } = setUp({ serverBytes: 10_000 });
    const room = memory.open();
    const log: string[] = [];
    const [first, second] = [room.begin(), room.begin()];
    first.add(5000);
    second.add(60);
    goOn(first, log, "first");
    goOn(second, log, "second");
    assert.deepEqual(log, ["first"]);
    assert.ok(!room.isCrowded, "small ones pass");
    const sent = large(room, 5000);
    first.end();
    turns();
    assert.deepEqual(log, ["first"]);
    assert.ok(!room.isCrowded);
    sent.send(5000);
    turns();
    assert.deepEqual(log, ["first", "second"]);
    second.end();
    assert.equal(memory.usedBytes, 0);
  });

  it("wakes a read that is over", () => {
    const room = setUp().memory.open();
    room.changePending(200);
    const log: string[] = [];
    const reading = room.begin();
    goOn(reading, log, "read");
    reading.end();
    reading.end();
    assert.deepEqual(log, ["read over"]);
    assert.equal(room.waitingCalls, 0);
  });
});

describe("the room of all", () => {
  it("is left to those who keep little, and to one large read at a time", () => {
    const { memory, turns } = setUp();
    const idle = [memory.open(), memory.open()];
    for (const room of idle) large(room, 600);
    const [a, b] = [memory.open(), memory.open()];
    a.changePending(10);
    assert.ok(!a.isCrowded);
    const log: string[] = [];
    const readings = [a.begin(), b.begin()];
    for (const reading of readings) reading.add(400);
    goOn(readings[0]!, log, "a");
    goOn(readings[1]!, log, "b");
    turns();
    assert.deepEqual(log, ["a"]);
    readings[0]!.end();
    b.changePending(1);
    b.changePending(-1);
    turns();
    assert.deepEqual(log, ["a", "b"]);
  });

  it("lets small ones pass a large one on the same connection", () => {
    const { memory, turns } = setUp();
    const room = memory.open();
    const log: string[] = [];
    const reading = room.begin();
    reading.add(5000);
    goOn(reading, log, "large");
    turns();
    assert.deepEqual(log, ["large"]);
    assert.ok(!room.isCrowded);
    large(room, 5000);
    reading.end();
    assert.ok(!room.isCrowded);
    const other = room.begin();
    other.add(50);
    assert.ok(!other.mayGoOn());
  });

  it("is taken back from those who do not read, when others wait, the largest first", async () => {
    const { clock, memory, turns } = setUp();
    const shed: string[] = [];
    const open = (name: string, bytes: number) => {
      const room = memory.open();
      const answer = large(room, bytes);
      room.shed = () => {
        shed.push(name);
        answer.send(answer.pendingBytes);
      };
      return answer;
    };
    const slow = open("slow", 2000);
    open("idle", 700);
    open("idler", 900);
    await clock.advance(5000);
    assert.deepEqual(shed, [], "nobody waits");
    const log: string[] = [];
    const [first, second] = [memory.open().begin(), memory.open().begin()];
    for (const reading of [first, second]) {
      reading.add(600);
      goOn(reading, log, "read");
    }
    turns();
    slow.send(300);
    await clock.advance(1000);
    turns();
    assert.deepEqual(shed, ["idler", "idle"]);
    assert.deepEqual(log, ["read"]);
    slow.send(1700);
    first.end();
    turns();
    assert.deepEqual(log, ["read", "read"]);
    second.end();
    assert.equal(memory.usedBytes, 0);
  });
});
