/** A member that is far behind gets the leader's store, and survives a crash at any moment of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { finish } from "../../../src/lib/steps.ts";
import type { Wal } from "../../../src/wal/wal.ts";
import { SimCluster, type SimClusterOptions } from "../world/sim-cluster.ts";
import type { SimMember } from "../world/sim-member.ts";
import { ClusterClient } from "./cluster-client.ts";

const limitMs = 120_000;
/** Who is behind, with the seed that is used here. */
const behindName = "m1";
const settings = {
  snapshotCount: 20,
  storeLimits: { generationBytes: 500, generationDelayMs: 20, overlayBytesMax: 20_000 },
};

/** A cluster with one member cut off, which will need a snapshot when it is not any more. */
async function withOneBehind(options: Partial<SimClusterOptions> = {}) {
  const cluster = new SimCluster({ seed: 3, size: 3, settings, ...options });
  const client = new ClusterClient(cluster);
  cluster.startAll();
  await cluster.until("a leader", () => cluster.leader !== undefined);
  const behind = cluster.members.find((member) => member !== cluster.leader)!;
  await client.put(behind, "before", "1");
  for (const other of cluster.members) {
    if (other === behind) continue;
    cluster.network.cut(other, behind);
    cluster.network.cut(behind, other);
  }
  const { ID } = await client.call(cluster.leader!, "grant", { TTL: 1_000n });
  for (let i = 0; i < 150; i++) await client.put(cluster.leader!, `k${i % 40}`, "x".repeat(50));
  await cluster.run(500);
  return { cluster, client, behind, lease: ID };
}

function hashOf({ server }: SimMember): number {
  return finish(server!.store.hashByRevision(0)).hash;
}

const indexOf = ({ server }: SimMember): number => server?.raftStatus().appliedIndex ?? 0;

describe("a snapshot between members", () => {
  it("brings keys, leases and members", { timeout: limitMs }, async () => {
    const lines: string[] = [];
    const { cluster, client, behind, lease } = await withOneBehind({ log: (line) => lines.push(line) });
    cluster.network.heal();
    await cluster.until("all to be equal", () => indexOf(behind) === indexOf(cluster.leader!));
    assert.ok(lines.some((line) => line.includes("applied snapshot")));
    assert.equal(hashOf(behind), hashOf(cluster.leader!));
    assert.ok(behind.server!.lessor.has(lease as never));
    assert.equal(behind.server!.cluster.members().length, 3);
    assert.equal(await client.get(behind, "k7"), "x".repeat(50));
    // It can lead with what it got.
    await client.call(cluster.leader!, "moveLeader", { targetID: behind.id! });
    await client.put(behind, "after", "1");
    assert.equal(await client.get(behind, "after"), "1");
    assert.ok((await client.call(behind, "timeToLive", { ID: lease })).TTL > 900n);
  });

  it("is taken over at the next start when a crash comes right after it is in the log", async () => {
    const lines: string[] = [];
    let crashes = 0;
    const { cluster, behind } = await withOneBehind({
      log: (line) => lines.push(line),
      hooks: { wrapWal: (wal, member) => (member.name === behindName ? crashingAt(wal, member) : wal) },
    });
    /** Loses power when the mark of a snapshot that is beyond the log has been written, before anybody hears of it. */
    function crashingAt(wal: Wal, member: SimMember): Wal {
      let last = 0;
      return {
        get sizeBytes() {
          return wal.sizeBytes;
        },
        save(batch, done) {
          const isBeyond = crashes === 0 && last > 0 && (batch.snapshot?.index ?? 0) > last;
          last = batch.entries.at(-1)?.index ?? last;
          wal.save(batch, (error) => {
            if (!isBeyond) return done(error);
            crashes++;
            member.crash("power");
            cluster.events.after(50, () => member.start());
          });
        },
        release: (index, keep) => wal.release(index, keep),
        close: () => wal.close(),
      };
    }
    assert.equal(behind.name, behindName);
    cluster.network.heal();
    await cluster.until("the crash", () => crashes > 0);
    await cluster.until("all to be equal", () => indexOf(behind) === indexOf(cluster.leader!));
    assert.equal(hashOf(behind), hashOf(cluster.leader!));
    assert.ok(lines.some((line) => line.includes("taking over the store of a snapshot")));
  });

  for (const kind of ["power", "kill"] as const) {
    it(`survives a crash (${kind}) at any moment`, { timeout: limitMs }, async () => {
      let wasInstalled = false;
      let crashes = 0;
      for (let crashMs = 0; !wasInstalled; crashMs += kind === "power" ? 1.5 : 3.5) {
        const { cluster, behind } = await withOneBehind();
        let isInstalled = false;
        const look = behind.server!.watchHub;
        const restore = look.restore.bind(look);
        look.restore = (store) => {
          isInstalled = true;
          restore(store);
        };
        cluster.network.heal();
        await cluster.run(crashMs);
        // A while after it has been installed the old store is removed, which may be cut off as well.
        wasInstalled = isInstalled && crashMs > 400;
        if (isInstalled) crashMs += 40;
        crashes++;
        behind.crash(kind);
        await cluster.run(50);
        behind.start();
        const isEqual = () => behind.isUp && indexOf(behind) === indexOf(cluster.leader!);
        await cluster.until(`all to be equal after a crash at ${crashMs} ms`, isEqual);
        assert.equal(hashOf(behind), hashOf(cluster.leader!), `crash at ${crashMs} ms`);
        assert.equal(behind.server!.store.revision, cluster.leader!.server!.store.revision);
      }
      assert.ok(crashes > 20, String(crashes));
    });
  }
});
