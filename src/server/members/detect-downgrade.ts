import { BootstrapError } from "../bootstrap-error.ts";
import { etcdVersion } from "../versions.ts";
import { formatMinor, isBefore, parseVersion } from "./minor-version.ts";

/**
 * Throws a `BootstrapError` if this server is older than the version that its cluster has agreed on: what newer members write
 * may mean something that it would not understand. Only a downgrade of the cluster lets it in.
 */
export function detectDowngrade(clusterVersion: string | undefined): void {
  const cluster = clusterVersion === undefined ? undefined : parseVersion(clusterVersion);
  const server = parseVersion(etcdVersion)!;
  if (cluster === undefined || !isBefore(server, cluster)) return;
  throw new BootstrapError(
    "invalid downgrade; server version is lower than determined cluster version " +
      `(current-server-version: ${formatMinor(server)}.0, determined-cluster-version: ${formatMinor(cluster)})`,
  );
}
