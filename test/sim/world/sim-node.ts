/** The Raft core of a simulated member, with those who check looking on. */
import type { RaftIndex } from "../../../src/lib/ids.ts";
import type { Entry } from "../../../src/lib/raft-entry.ts";
import type { RaftConfig } from "../../../src/raft/config.ts";
import type { RaftStart } from "../../../src/raft/log/start.ts";
import type { RawNode } from "../../../src/raft/raw-node.ts";
import type { Ready } from "../../../src/raft/ready.ts";

export type NodeClass = new (config: RaftConfig, start: RaftStart) => RawNode;

export interface NodeWatcher {
  onReady(node: RawNode, ready: Ready): void;
  /** These are about to be applied. */
  onCommitted(entries: readonly Entry[]): void;
  onApplied(index: RaftIndex): void;
}

/** A node of the given class; `watcher` sees what it does, and what is really in its log. */
export function makeWatchedNode(
  Base: NodeClass,
  config: RaftConfig,
  start: RaftStart,
  watcher: NodeWatcher,
): RawNode {
  class WatchedNode extends Base {
    constructor(...args: ConstructorParameters<NodeClass>) {
      super(...args);
      const { log } = this.raft;
      const takeCommitted = log.takeCommitted.bind(log);
      log.takeCommitted = () => {
        const entries = takeCommitted();
        watcher.onCommitted(entries);
        return entries;
      };
    }

    override ready(): Ready {
      const ready = super.ready();
      watcher.onReady(this, ready);
      return ready;
    }

    override applied(index: RaftIndex): void {
      watcher.onApplied(index);
      super.applied(index);
    }
  }
  return new WatchedNode(config, start);
}
