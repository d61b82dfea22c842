import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Client } from "../../client/client.ts";
import { createLogger } from "../../lib/logger.ts";
import { keepInSync } from "./endpoints.ts";

const patienceMs = 60_000;

describe("the servers behind a proxy that asks the cluster for them", () => {
  it("are logged when others are told, and not each time", async () => {
    const told = [["http://a:1"], ["http://a:1"], ["http://b:1", "http://a:1"], ["http://a:1", "http://b:1"]];
    let asked = 0;
    let endpoints: readonly string[] = ["http://a:1"];
    const client = {
      unary: async () => {
        const clientURLs = told[Math.min(asked++, told.length - 1)];
        return { members: [{ isLearner: false, clientURLs }] };
      },
      channel: {
        get endpoints() {
          return endpoints;
        },
        setEndpoints(urls: readonly string[]) {
          endpoints = urls;
        },
      },
    } as unknown as Client;
    const lines: Record<string, unknown>[] = [];
    const sink = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const end = keepInSync(client, 1, createLogger({ sink, wallMs: () => 0 }));
    const endMs = performance.now() + patienceMs;
    while (asked <= told.length && performance.now() < endMs) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    end();
    assert.deepEqual(
      lines.map(({ msg, endpoints: shown }) => [msg, shown]),
      [["updated endpoints", ["http://b:1", "http://a:1"]]],
    );
  });
});
