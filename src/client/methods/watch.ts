/** The methods of the Watch service. */
import * as messages from "../messages/watch.ts";
import { duplex } from "./method.ts";

export const watch = duplex("Watch/Watch", messages.watchRequest, messages.watchResponse);
