import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Http2Connection } from "../connection.ts";
import { onSettings } from "./settings.ts";

/** SETTINGS_INITIAL_WINDOW_SIZE. */
const initialWindowSize = 4;

function payloadOf(windows: readonly number[]): Buffer {
  const payload = Buffer.alloc(windows.length * 6);
  for (const [index, window] of windows.entries()) {
    payload.writeUInt16BE(initialWindowSize, index * 6);
    payload.writeUInt32BE(window, index * 6 + 2);
  }
  return payload;
}

describe("a SETTINGS frame", () => {
  it("with very many windows goes over the open streams once, and the last one counts", () => {
    const streams = Array.from({ length: 10 }, () => ({ sendWindow: 65_535 }));
    let looked = 0;
    let acks = 0;
    const connection = {
      peerInitialWindow: 65_535,
      streams: {
        *values() {
          for (const stream of streams) {
            looked++;
            yield stream;
          }
        },
      },
      schedule() {},
      guard: { onAck() {} },
      frames: { settingsAck: () => acks++ },
    };
    const windows = Array.from({ length: 2730 }, (_, index) => (index % 2 === 0 ? 0 : 100_000));
    const payload = payloadOf([...windows.slice(1), 70_000]);
    onSettings(connection as unknown as Http2Connection, 0, 0, payload, 0, payload.length);
    assert.equal(looked, streams.length);
    assert.equal(acks, 1);
    assert.equal(connection.peerInitialWindow, 70_000);
    assert.ok(streams.every(({ sendWindow }) => sendWindow === 70_000));
  });
});
