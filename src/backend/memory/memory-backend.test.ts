import { contractSuite } from "../testing/contract-suite.ts";
import { importSuite } from "../testing/import-suite.ts";
import { propertySuite } from "../testing/property-suite.ts";
import { MemoryBackend } from "./memory-backend.ts";

const subject = { name: "memory", open: async () => new MemoryBackend() };
contractSuite(subject);
propertySuite(subject);
importSuite(subject);
