/** Limits of ordinary HTTP requests, those that go to the fetch handler. */
export interface FetchLimits {
  /** A larger request body is answered with 413, or its connection is cut. An answer that has begun is of a stream that
   * takes its messages one by one, however many. */
  readonly maxBodyBytes: number;
  /** Bytes of a request body, or of a response body, that wait for whoever is slower. */
  readonly bodyHighWaterBytes: number;
  /** HTTP/1.1: a longer head of a request is refused with 431. */
  readonly maxHeadBytes: number;
  /** HTTP/1.1: the longest a client may take for the head of a request, also of the first. */
  readonly headTimeoutMs: number;
  /** HTTP/1.1: the longest that a connection is kept without a request. */
  readonly idleTimeoutMs: number;
}

export const defaultFetchLimits: FetchLimits = {
  maxBodyBytes: 16 * 1024 * 1024,
  bodyHighWaterBytes: 256 * 1024,
  maxHeadBytes: 64 * 1024,
  headTimeoutMs: 60_000,
  idleTimeoutMs: 180_000,
};
