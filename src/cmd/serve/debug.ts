/** What /debug/ shows of this process. */
import type { Profiles } from "../../http/debug/pprof.ts";
import type { Variables } from "../../http/debug/vars.ts";
import { formatId } from "../../membership/member.ts";
import { processStats } from "../../runtime/process-stats.ts";
import type { EtcdServer } from "../../server/etcd-server.ts";
import { commandLine } from "../command-line.ts";

export function variablesOf(server: EtcdServer): Variables {
  return {
    cmdline: commandLine,
    file_descriptor_limit: () => processStats().maxFiles,
    // Go's names for what there is of it.
    memstats: () => {
      const { rss, heapTotal, heapUsed, external } = process.memoryUsage();
      return { Alloc: heapUsed, Sys: rss, HeapAlloc: heapUsed, HeapSys: heapTotal, OtherSys: external };
    },
    "raft.status": () => {
      const { term, leader, commitIndex, appliedIndex } = server.raftStatus();
      return {
        id: formatId(server.cluster.localId),
        term,
        commit: commitIndex,
        lead: formatId(leader),
        raftState: server.isLeader ? "StateLeader" : "StateFollower",
        applied: appliedIndex,
      };
    },
  };
}

export async function loadProfiles(): Promise<Profiles> {
  const { cpuProfile, heapSnapshot } = await import("../../runtime/profiles.ts");
  return { cpu: cpuProfile, heap: heapSnapshot, commandLine };
}
