/** The methods of our own service, which etcd does not have. */
import * as messages from "../messages/explore.ts";
import { ownRepeatable } from "./method.ts";

export const revisionAt = ownRepeatable(
  "Explore/RevisionAt",
  messages.revisionAtRequest,
  messages.revisionAtResponse,
);
