import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EtcdError, GrpcCode } from "../../errors/etcd-error.ts";
import { AnswerBudget, largeAnswerBytes, largeAnswersBytesMax, releasing } from "./answer-budget.ts";

const isFull = (error: unknown) => error instanceof EtcdError && error.code === GrpcCode.resourceExhausted;

describe("large answers", () => {
  it("have so much room together, and small ones are not counted", () => {
    const budget = new AnswerBudget();
    assert.equal(budget.take(largeAnswerBytes), undefined);
    const one = budget.take(largeAnswersBytesMax - largeAnswerBytes);
    assert.throws(() => budget.take(largeAnswerBytes + 1), isFull);
    one?.();
    one?.();
    assert.equal(budget.usedBytes, 0);
    assert.ok(budget.take(largeAnswersBytesMax));
  });

  it("give their room back when they are read, and when nobody wants them", async () => {
    const budget = new AnswerBudget();
    const answer = () => releasing(new Response("text"), budget.take(largeAnswerBytes + 1)!);
    const read = answer();
    const left = answer();
    assert.equal(budget.usedBytes, 2 * (largeAnswerBytes + 1));
    assert.equal(await read.text(), "text");
    assert.equal(budget.usedBytes, largeAnswerBytes + 1);
    await left.body?.cancel();
    assert.equal(budget.usedBytes, 0);
    releasing(new Response(null), budget.take(largeAnswerBytes + 1)!);
    assert.equal(budget.usedBytes, 0);
  });
});
