/** Adding members to a cluster of processes, as those who run one should: a learner first, which votes when it has caught up. */
import { eventually } from "../report.ts";
import { memberAdd, memberPromote, status } from "./calls.ts";
import type { ProcessCluster } from "./process-cluster.ts";

/** Adds a member, waits until it has caught up, and makes it a voter. */
export async function grow(cluster: ProcessCluster): Promise<void> {
  const through = cluster.members[0]!.url;
  const member = await cluster.newMember();
  const id = await untilDone("a learner is added", () => memberAdd(through, member.peerUrl, true));
  cluster.members.push(member);
  await cluster.startMember(member, "existing");
  await untilDone("the learner is promoted", () => memberPromote(through, id));
  await untilDone("it knows that it votes", async () => {
    if ((await status(member.url, 1_000)).isLearner) throw new Error("it is a learner still");
  });
}

/** Tries again until it works. Rejects with the last reason after a minute. */
export async function untilDone<T>(what: string, attempt: () => Promise<T>): Promise<T> {
  let result: { readonly value: T } | undefined;
  let why: unknown;
  await eventually(
    what,
    async () => {
      result = await attempt().then(
        (value) => ({ value }),
        (error: unknown) => {
          why = error;
          return undefined;
        },
      );
      return result !== undefined;
    },
    { timeoutMs: 60_000, everyMs: 100 },
  ).catch((error: Error) => {
    throw new Error(`${error.message}: ${why}`);
  });
  return result!.value;
}
