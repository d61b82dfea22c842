/** A request that a member sends, and the answer when it is small. */
import type { HttpHeaders } from "./head.ts";

export interface HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  /** It must not arrive twice: then it is rather lost. */
  readonly isOnce?: boolean;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers: HttpHeaders;
  readonly body: Uint8Array;
}
