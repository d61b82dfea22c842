/** A cluster grows from one member to five by learners, and shrinks back to one, under load: which writes fail. */
import { memberList, memberRemove, status } from "../../test/support/cluster/calls.ts";
import { grow, untilDone } from "../../test/support/cluster/grow.ts";
import type { ClusterMember, ProcessCluster } from "../../test/support/cluster/process-cluster.ts";
import { type Context, type Subject, sleep } from "../context.ts";
import { sameEverywhere } from "./catchup.ts";
import { PacedPuts } from "./paced-puts.ts";
import { withCluster } from "./with-cluster.ts";

const largest = 5;
const everyMs = 4;
const pauseMs = 500;

export async function resize(context: Context): Promise<void> {
  for (let round = 0; round < context.rounds; round++) {
    for (const subject of context.subjects) await once(context, subject);
  }
}

async function once(context: Context, subject: Subject): Promise<void> {
  await withCluster(context, subject, 1, async (cluster) => {
    /** Clients know voters only, as those who run a cluster would have it. */
    let voters: readonly ClusterMember[] = [...cluster.members];
    const puts = new PacedPuts(() => voters.map(({ url }) => url), everyMs);
    const started = performance.now();
    while (cluster.members.length < largest) {
      await grow(cluster);
      voters = [...cluster.members];
      await sleep(pauseMs);
    }
    await sameEverywhere(cluster);
    while (voters.length > 1) {
      const leader = await cluster.aLeader();
      // The leader is the first to go, and then every other time.
      const leaves = voters.length % 2 === 1 ? leader : voters.find((member) => member !== leader)!;
      voters = voters.filter((member) => member !== leaves);
      await puts.settled(leaves.url);
      await shrink(cluster, leaves);
      await sleep(pauseMs);
    }
    const seconds = (performance.now() - started) / 1000;
    await puts.stop();
    const done = puts.take();
    report(context, subject, done, seconds);
    const { revision } = await status(cluster.urls[0]!);
    const acknowledged = done.filter(({ error }) => error === undefined).length;
    if (revision - 1 < acknowledged)
      throw new Error(`${acknowledged} acknowledged puts made ${revision - 1} revisions`);
  });
}

function report(
  context: Context,
  subject: Subject,
  done: ReturnType<PacedPuts["take"]>,
  seconds: number,
): void {
  const failed = done.filter(({ error }) => error !== undefined);
  for (const why of new Set(failed.map(({ error }) => error))) {
    console.error(`${subject.name} ${why}: ${failed.filter(({ error }) => error === why).length}`);
  }
  const slowest = Math.max(...done.map(({ startedMs, endedMs }) => endedMs - startedMs));
  const add = (what: string, unit: string, value: number, more = {}) =>
    context.results.add(
      { title: `one to five members and back, ${what}`, unit, ...more },
      subject.name,
      value,
    );
  add("puts", "", done.length);
  add("puts failed", "", failed.length, { goal: { max: 0 } });
  add("slowest put", "ms", slowest);
  add("took", "s", seconds, { digits: 1 });
}

async function shrink(cluster: ProcessCluster, member: ClusterMember): Promise<void> {
  const others = cluster.members.filter((other) => other !== member);
  const through = others[0]!.url;
  const id = (await memberList(through)).find(({ name }) => name === member.name)!.id;
  await untilDone("a member is removed", async () => {
    // A call that was not answered may have been done all the same.
    if ((await memberList(through)).some((other) => other.id === id)) await memberRemove(through, id);
  });
  cluster.members.splice(cluster.members.indexOf(member), 1);
  // It ends by itself when it learns of it.
  await Promise.race([member.server!.exited, sleep(5_000)]);
  await member.kill();
}
