/** A member that waits for others that never come: what its log says, and that it can be stopped. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { freePort } from "../support/ports.ts";
import { flagsOf, MemberProcess, until } from "./member-process.ts";

describe("a member that nobody joins", () => {
  const folder = mkdtempSync(join(tmpdir(), "etclite-lonely-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("says what it runs with, never that it is ready, and ends when it is told to", {
    timeout: 120_000,
  }, async () => {
    const members: MemberProcess[] = [];
    for (const name of ["here", "elsewhere"]) {
      const ports = { clientPort: await freePort(), peerPort: await freePort() };
      members.push(new MemberProcess({ name, folder, ...ports }));
    }
    const [member] = members as [MemberProcess, MemberProcess];
    member.start(flagsOf(members, ["--snapshot-catchup-entries=1000"]));
    await until("it serves", () => member.log().includes('"now serving peer/client/metrics"'));
    await member.stop();
    const lines = member
      .log()
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const said = (message: string) => lines.find(({ msg }) => msg === message);
    const started = said("starting an etcd server");
    assert.equal(started?.["snapshot-catchup-entries"], 1000);
    assert.equal(started?.["member-initialized"], false);
    assert.equal(said("received signal; shutting down")?.["signal"], "terminated");
    assert.equal(said("ready to serve client requests"), undefined);
  });
});
