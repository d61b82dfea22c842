import type { Http2Connection } from "../http2/connection.ts";
import type { RequestHead } from "../http2/request-head.ts";
import { Http2Stream } from "../http2/stream.ts";
import type { RefusedCallPlan } from "./plan.ts";
import { trailersOnly } from "./response-blocks.ts";

/** A call that is answered from its headers alone. */
export class RefusedCall extends Http2Stream {
  private readonly plan: RefusedCallPlan;

  constructor(connection: Http2Connection, id: number, head: RequestHead, plan: RefusedCallPlan) {
    super(connection, id, head);
    this.plan = plan;
  }

  onOpen(): void {
    const { httpStatus, code, message } = this.plan.refusal;
    this.sendHeaderBlock(trailersOnly(httpStatus, this.plan.contentType, code, message), true);
  }

  onData(): void {}
  onRequestEnd(): void {}
  onAborted(): void {}
}
