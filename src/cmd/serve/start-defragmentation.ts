/** `--bootstrap-defrag-threshold-megabytes`: gives space back before the server serves, if it is much. */
import type { Config } from "../../config/config.ts";
import { humanBytes } from "../../lib/human-bytes.ts";
import type { Logger } from "../../lib/logger.ts";
import type { DataFolder } from "./open-data.ts";

export async function defragmentIfWorthIt(config: Config, logger: Logger, data: DataFolder): Promise<void> {
  const thresholdBytes = config.bootstrapDefragThresholdMegabytes * 1024 * 1024;
  if (thresholdBytes === 0) return;
  const backend = data.stores.current;
  const { totalBytes, inUseBytes } = backend.sizes();
  const fields = {
    "current-db-size-bytes": totalBytes,
    "current-db-size": humanBytes(totalBytes),
    "current-db-size-in-use-bytes": inUseBytes,
    "current-db-size-in-use": humanBytes(inUseBytes),
    "bootstrap-defrag-threshold-bytes": thresholdBytes,
    "bootstrap-defrag-threshold": humanBytes(thresholdBytes),
  };
  const from = logger.at("cmd/serve/start-defragmentation.ts");
  if (totalBytes - inUseBytes < thresholdBytes) {
    from.info("Skipping defragmentation", fields);
    return;
  }
  from.info("defragmenting", fields);
  await backend.defragment();
}
