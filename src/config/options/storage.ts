/** Ours alone: etcd has no such flags. */
import { choice, integer, type OptionTable } from "../option.ts";

export const storageOptions = {
  storageBackend: choice("storage-backend", ["sqlite", "memory"], {
    default: "sqlite",
    ours: true,
    help: "What keeps the data: 'sqlite', or 'memory', which is empty after a restart.",
  }),
  storageCacheBytes: integer("storage-cache-bytes", "uint", {
    default: 8_388_608,
    ours: true,
    help: "How much memory SQLite may take for its pages.",
  }),
  storageOverlayBytes: integer("storage-overlay-bytes", "uint", {
    default: 33_554_432,
    ours: true,
    help: "How much may be waiting in memory for the store; past it, writes wait. (All of it is in the log.)",
  }),
} satisfies OptionTable;
