/** The methods of the KV service. */
import * as messages from "../messages/kv.ts";
import { once, repeatable, serverStream } from "./method.ts";

export const range = repeatable("KV/Range", messages.rangeRequest, messages.rangeResponse);
export const rangeStream = serverStream(
  "KV/RangeStream",
  messages.rangeRequest,
  messages.rangeStreamResponse,
);
export const put = once("KV/Put", messages.putRequest, messages.putResponse);
export const deleteRange = once("KV/DeleteRange", messages.deleteRangeRequest, messages.deleteRangeResponse);
export const txn = once("KV/Txn", messages.txnRequest, messages.txnResponse);
export const compact = once("KV/Compact", messages.compactionRequest, messages.compactionResponse);
