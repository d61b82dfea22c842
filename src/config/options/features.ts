/** Work in the background, and when it is worth a word. */
import { duration, integer, type OptionTable } from "../option.ts";

export const featureOptions = {
  corruptCheckTimeMs: duration("corrupt-check-time", {
    default: 0,
    defaultText: "0s",
    help: "How often members compare the hashes of all their data (0: never).",
  }),
  compactHashCheckTimeMs: duration("compact-hash-check-time", {
    default: 60_000,
    defaultText: "1m0s",
    help: "How often the leader compares the hashes of compactions.",
  }),
  compactionBatchLimit: integer("compaction-batch-limit", "int", {
    default: 1_000,
    zeroIsDefault: true,
    help: "How many revisions a compaction removes at a time.",
  }),
  compactionSleepIntervalMs: duration("compaction-sleep-interval", {
    default: 10,
    defaultText: "10ms",
    zeroIsDefault: true,
    help: "How long a compaction rests after each batch.",
  }),
  watchProgressNotifyIntervalMs: duration("watch-progress-notify-interval", {
    default: 600_000,
    defaultText: "10m0s",
    zeroIsDefault: true,
    help: "How often a quiet watcher that asked for it hears how far it has got.",
  }),
  warningApplyDurationMs: duration("warning-apply-duration", {
    default: 100,
    defaultText: "100ms",
    help: "A change that takes longer to apply is logged as a warning.",
  }),
  bootstrapDefragThresholdMegabytes: integer("bootstrap-defrag-threshold-megabytes", "uint", {
    default: 0,
    help: "Defragment at the start if that frees so many megabytes (0: never).",
  }),
  maxLearners: integer("max-learners", "int", {
    default: 1,
    help: "The most learners in the cluster.",
  }),
  downgradeCheckTimeMs: duration("downgrade-check-time", {
    default: 5_000,
    defaultText: "5s",
    help: "How often the leader looks whether a downgrade is done (0: never).",
  }),
  snapshotCatchupEntries: integer("snapshot-catchup-entries", "uint64", {
    default: 5_000,
    help: "How many log entries to keep after a snapshot, for members that are behind.",
  }),
} satisfies OptionTable;
