/**
 * What every backend has to do. A new implementation calls `contractSuite` from a test file of its own; see DESIGN.md.
 */
import { describe } from "node:test";
import { readContract } from "./contract-reads.ts";
import type { ContractSubject } from "./contract-subject.ts";
import { writeContract } from "./contract-writes.ts";

export { plain, rev } from "./contract-subject.ts";

export function contractSuite(subject: ContractSubject): void {
  describe(`backend contract: ${subject.name}`, () => {
    readContract(subject);
    writeContract(subject);
  });
}
