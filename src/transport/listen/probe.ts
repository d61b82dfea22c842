/** Whether ports can be had: asked before a server leaves anything on the disk. */
import { createServer } from "node:net";
import { bind } from "./bind.ts";
import { type ListenAddress, parseListenUrl } from "./listen-url.ts";

/** Rejects with the system's error for the first address that cannot be listened on. Sockets that are files, and ports
 * that the system is to choose, are not tried. */
export async function probeListen(urls: readonly string[], reusePort: boolean): Promise<void> {
  const addresses = new Map<string, ListenAddress>();
  for (const address of urls.map(parseListenUrl)) addresses.set(address.key, address);
  await Promise.all(
    [...addresses.values()].map(async ({ target }) => {
      if (target.kind === "unix" || target.port === 0) return;
      // Whoever calls in this moment is turned away, as a moment earlier.
      const server = createServer((socket) => socket.destroy());
      await bind(server, target, reusePort);
      await new Promise((resolve) => server.close(resolve));
    }),
  );
}
