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
      flush() {},
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

describe("an answer", () => {
  /** What a sink is told, in order, and the means to wait for a word of it. */
  class Told implements ResponseSink {
    readonly isGone = false;
    readonly words: string[] = [];
    #waiting: { word: string; resolve: () => void } | undefined;

    begin(status: number): void {
      this.#add(`begin ${status}`);
    }

    write(bytes: Uint8Array): undefined {
      this.#add(`write ${Buffer.from(bytes)}`);
    }

    flush(): void {
      this.#add("flush");
    }

    end(last?: Uint8Array): void {
      this.#add(`end ${last === undefined ? "" : Buffer.from(last)}`);
    }

    abort(): void {
      this.#add("abort");
    }

    until(word: string): Promise<void> {
      if (this.words.includes(word)) return Promise.resolve();
      return new Promise((resolve) => {
        this.#waiting = { word, resolve };
      });
    }

    #add(word: string): void {
      this.words.push(word);
      if (this.#waiting?.word === word) this.#waiting.resolve();
    }
  }

  const send = (sink: Told, response: Response): Promise<void> =>
    answer(
      () => response,
      new Request("http://localhost/"),
      { address: "", secure: false },
      sink,
      () => {},
    );

  it("that is there as a whole goes as a whole", async () => {
    const sink = new Told();
    await send(sink, new Response("all of it"));
    assert.deepEqual(sink.words, ["begin 200", "end all of it"]);
  });

  it("that is still being made shows its head, and each piece when it is made", async () => {
    const sink = new Told();
    let body!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        body = controller;
      },
    });
    const sent = send(sink, new Response(stream));
    await sink.until("flush");
    body.enqueue(Buffer.from("one"));
    await sink.until("write one");
    body.enqueue(Buffer.from("two"));
    await sink.until("write two");
    body.close();
    await sent;
    assert.deepEqual(sink.words, ["begin 200", "flush", "write one", "write two", "end "]);
  });

  it("whose first piece is there shows that, and does not wait for the second", async () => {
    const sink = new Told();
    let body!: ReadableStreamDefaultController<Uint8Array>;
    const stream = new ReadableStream<Uint8Array>({
      start(controller) {
        body = controller;
        controller.enqueue(Buffer.from("one"));
      },
    });
    const sent = send(sink, new Response(stream));
    await sink.until("write one");
    body.close();
    await sent;
    assert.deepEqual(sink.words, ["begin 200", "write one", "end "]);
  });
});
