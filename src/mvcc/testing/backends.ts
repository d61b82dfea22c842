/** The backends that the model tests run on. */
import type { Backend } from "../../backend/backend.ts";
import { PlainBackend } from "./plain-backend.ts";

export interface BackendUnderTest {
  readonly backend: Backend;
  /** Closes it and removes what it left. */
  dispose(): Promise<void>;
}

export const backendsUnderTest: Record<string, () => Promise<BackendUnderTest>> = {
  plain: () => {
    const backend = new PlainBackend();
    return Promise.resolve({ backend, dispose: () => backend.close() });
  },
};
