/** Members find each other through a discovery service, which is another server. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { freePort } from "../support/ports.ts";
import { MemberProcess, startCluster } from "./member-process.ts";

const slow = { timeout: 120_000 };

describe("three members and a discovery service", () => {
  const folder = mkdtempSync(join(tmpdir(), "etclite-discovery-"));
  const members: MemberProcess[] = [];
  let service: MemberProcess;
  after(async () => {
    await Promise.all([service, ...members].map((member) => member?.stop("SIGKILL")));
    rmSync(folder, { recursive: true, force: true });
  });

  const flags = () => [
    "--discovery-token=token",
    `--discovery-endpoints=${service.url}`,
    "--discovery-dial-timeout=30s",
  ];
  const another = async (name: string) =>
    new MemberProcess({ name, folder, clientPort: await freePort(), peerPort: await freePort() });

  it("become a cluster", slow, async () => {
    [service] = (await startCluster({ folder: join(folder, "service"), size: 1 })) as [MemberProcess];
    await service.put("/_etcd/registry/token/_config/size", "3");
    for (const name of ["one", "two", "three"]) members.push(await another(name));
    for (const member of members) member.start(flags());
    await Promise.all(members.map((member) => member.ready()));
    await members[0]!.put("a", "1");
    const list = await members[1]!.call<{ members: { name: string }[] }>("cluster/member/list");
    assert.deepEqual(list.members.map(({ name }) => name).sort(), ["one", "three", "two"]);
  });

  it("leave no place for a fourth", slow, async () => {
    const fourth = await another("four");
    fourth.start(flags());
    assert.equal(await fourth.ended, 1);
    assert.match(fourth.log(), /discovery: cluster is full/);
    assert.match(fourth.log(), /do not reuse discovery token/);
  });

  it("need no service once they are members", slow, async () => {
    await service.stop();
    await Promise.all(members.map((member) => member.stop()));
    for (const member of members) member.start(flags());
    await Promise.all(members.map((member) => member.ready()));
  });
});
