/** The backends that the model tests run on. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Backend } from "../../backend/backend.ts";
import { openBackend } from "../../backend/open.ts";
import { PlainBackend } from "./plain-backend.ts";

export interface BackendUnderTest {
  readonly backend: Backend;
  /** Closes it and removes what it left. */
  dispose(): Promise<void>;
}

async function sqlite(): Promise<BackendUnderTest> {
  const dir = mkdtempSync(join(tmpdir(), "etclite-mvcc-"));
  const backend = await openBackend({ kind: "sqlite", dir, sync: false });
  return {
    backend,
    dispose: async () => {
      await backend.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function memory(): Promise<BackendUnderTest> {
  const backend = await openBackend({ kind: "memory", pause: () => Promise.resolve() });
  return { backend, dispose: () => backend.close() };
}

function plain(): Promise<BackendUnderTest> {
  const backend = new PlainBackend();
  return Promise.resolve({ backend, dispose: () => backend.close() });
}

export const backendsUnderTest: Record<string, () => Promise<BackendUnderTest>> = { plain, memory, sqlite };
