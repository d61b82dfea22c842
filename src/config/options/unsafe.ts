/** What may break the promises that a cluster makes. */
import { bool, type OptionTable } from "../option.ts";

export const unsafeOptions = {
  forceNewCluster: bool("force-new-cluster", {
    default: false,
    help: "Start with this member's data as a new cluster of one.",
  }),
  unsafeNoFsync: bool("unsafe-no-fsync", {
    default: false,
    help: "Do not wait for the disk. Acknowledged writes are lost when the machine stops.",
  }),
} satisfies OptionTable;
