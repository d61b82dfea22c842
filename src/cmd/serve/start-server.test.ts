import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { configFromObject } from "../../config/from-object.ts";
import { silentLogger } from "../../lib/testing/silent-logger.ts";
import { openData } from "./open-data.ts";
import { startServer } from "./start-server.ts";

describe("a server that cannot be started", () => {
  it("leaves nothing open", { timeout: 60_000 }, async () => {
    const dataDir = mkdtempSync(join(tmpdir(), "etclite-start-"));
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const config = configFromObject({ dataDir, listenClientUrls: url, advertiseClientUrls: url });
    const data = await openData(config, silentLogger);
    try {
      const ends = { onFatal: () => {}, onRemoved: () => {} };
      const starting = startServer({ config, logger: silentLogger, data, ends, peers: false });
      await assert.rejects(starting, { code: "EADDRINUSE" });
      await assert.rejects(data.stores.current.sync(), /closed/);
    } finally {
      await data.stores.current.close();
      data.release();
      other.close();
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});
