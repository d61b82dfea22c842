import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { answer, type ResponseSink } from "./respond.ts";

describe("an answer that cannot be begun", () => {
  it("is aborted and told of, and never a rejection", async () => {
    const told: unknown[] = [];
    let aborts = 0;
    const wrong = new Error("a header that HTTP/1.1 does not know");
    const sink: ResponseSink = {
      isGone: false,
      begin() {
        throw wrong;
      },
      write: () => undefined,
      end() {},
      abort() {
        aborts++;
      },
    };
    for (const response of [new Response("body"), new Response(null, { status: 204 })]) {
      await answer(
        () => response,
        new Request("http://localhost/"),
        { address: "", secure: false },
        sink,
        (cause) => told.push(cause),
      );
    }
    assert.deepEqual(told, [wrong, wrong]);
    assert.equal(aborts, 2);
  });
});
