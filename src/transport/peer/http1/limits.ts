/** Limits of HTTP/1.1 between members. */
export interface Http1Limits {
  /** Start line and headers of a message; trailers together, too. */
  readonly headBytes: number;
  readonly headers: number;
  /** The line with a chunk's size, with whatever extensions it has. */
  readonly chunkLineBytes: number;
  /** A server waits so long for a request's head, also between two requests of a connection. */
  readonly headTimeoutMs: number;
  /** A body of which nothing more comes for so long ends its connection, unless its reader made it wait. */
  readonly bodyTimeoutMs: number;
  /** A refused request's body is read and thrown away for so long, so that the answer is not lost by a reset. */
  readonly lingerMs: number;
  /** A client keeps an unused connection so long. Less than a server's 5 s (etcd), or requests meet closed doors. */
  readonly idleTimeoutMs: number;
  /** Unused connections that a client keeps to one address. */
  readonly idleConnections: number;
}

export const defaultHttp1Limits: Http1Limits = {
  headBytes: 16 * 1024,
  headers: 100,
  chunkLineBytes: 256,
  headTimeoutMs: 10_000,
  bodyTimeoutMs: 30_000,
  lingerMs: 2_000,
  idleTimeoutMs: 4_000,
  idleConnections: 4,
};
