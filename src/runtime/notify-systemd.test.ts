import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openLibc } from "./libc.ts";
import { notifySystemd } from "./notify-systemd.ts";

const linux = process.platform === "linux";
const afUnix = 1;
const sockDgram = 2;
const msgDontwait = 0x40;

/** What a message to `name` arrives as; on Node through a stand-in for `systemd-notify`. */
async function received(folder: string, name: string, state: string): Promise<string> {
  const libc = await openLibc({
    socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
    bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
    recv: { parameters: ["i32", "buffer", "u64", "i32"], result: "i64" },
    close: { parameters: ["i32"], result: "i32" },
  });
  process.env["NOTIFY_SOCKET"] = name;
  if (!libc) {
    const program = join(folder, "systemd-notify");
    writeFileSync(program, `#!/bin/sh\nprintf '%s' "$1" > "${folder}/said"\n`);
    chmodSync(program, 0o755);
    process.env["PATH"] = `${folder}:${process.env["PATH"]}`;
    assert.equal(await notifySystemd(state), true);
    return readFileSync(join(folder, "said"), "utf8");
  }
  const text = new TextEncoder().encode(name.startsWith("@") ? `\0${name.slice(1)}` : `${name}\0`);
  const address = new Uint8Array([afUnix, 0, ...text]);
  const socket = libc.socket(afUnix, sockDgram, 0);
  try {
    assert.equal(libc.bind(socket, address, address.length), 0);
    assert.equal(await notifySystemd(state), true);
    const into = new Uint8Array(256);
    const length = libc.recv(socket, into, into.length, msgDontwait);
    return new TextDecoder().decode(into.subarray(0, length));
  } finally {
    libc.close(socket);
  }
}

describe("notifySystemd", () => {
  const { NOTIFY_SOCKET: socketBefore, PATH: pathBefore } = process.env;
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "notify-"));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
    process.env["PATH"] = pathBefore;
    if (socketBefore === undefined) delete process.env["NOTIFY_SOCKET"];
    else process.env["NOTIFY_SOCKET"] = socketBefore;
  });

  it("says nothing where systemd does not ask", async () => {
    delete process.env["NOTIFY_SOCKET"];
    assert.equal(await notifySystemd("READY=1"), false);
  });

  if (linux) {
    it("sends to a socket in the file system", async () => {
      assert.equal(await received(folder, join(folder, "socket"), "READY=1\n"), "READY=1\n");
    });

    it("sends to an abstract socket", async () => {
      assert.equal(await received(folder, `@etclite-${process.pid}`, "STOPPING=1\n"), "STOPPING=1\n");
    });

    it("refuses what is no address", async () => {
      process.env["NOTIFY_SOCKET"] = "socket";
      await assert.rejects(notifySystemd("READY=1"), /NOTIFY_SOCKET is socket/);
      process.env["NOTIFY_SOCKET"] = `/${"a".repeat(200)}`;
      if ("bun" in process.versions) await assert.rejects(notifySystemd("READY=1"), /longer than 107 bytes/);
    });
  }
});
