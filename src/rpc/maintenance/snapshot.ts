/**
 * Maintenance.Snapshot: the store as a database file and the SHA-256 of that file behind it, made while they are sent. The
 * next piece is made when the last has left, so a slow reader costs no memory.
 */
import { createHash } from "node:crypto";
import { encodeUtf8 } from "../../codec/protowire-write.ts";
import { encodeSnapshotResponse } from "../../codec/snapshot.ts";
import { SnapshotRequestSchema } from "../../gen/tables/etcdserverpb/rpc.ts";
import { formatGoDuration } from "../../lib/go-duration.ts";
import { humanBytes } from "../../lib/human-bytes.ts";
import type { Logger } from "../../lib/logger.ts";
import type { DatabaseSnapshot } from "../../server/snapshot/database-snapshot.ts";
import type { GrpcCall, SingleRequestHandler } from "../../transport/grpc.ts";
import { AnswerGate, runRead } from "../answer-room.ts";
import { answeringStream, parse, statusOf } from "../handler.ts";
import type { MaintenanceSource } from "../rpc-server.ts";

export function snapshotHandler(server: MaintenanceSource): SingleRequestHandler {
  return answeringStream((call, message) => {
    parse(SnapshotRequestSchema, message);
    const reader = {
      isCancelled: () => call.cancelled,
      onGivenUp: (error: Error) => call.fail(statusOf(error)),
    };
    server.openSnapshot(reader).then(
      (snapshot) => new SnapshotCall(server, call, snapshot).start(),
      (error: unknown) => call.fail(statusOf(error)),
    );
  });
}

class SnapshotCall {
  readonly #server: MaintenanceSource;
  readonly #call: GrpcCall;
  readonly #snapshot: DatabaseSnapshot;
  readonly #version: Uint8Array;
  readonly #hash = createHash("sha256");
  readonly #startMs: number;
  readonly #gate: AnswerGate;
  #sentBytes = 0;
  #running = false;
  #ended = false;

  constructor(server: MaintenanceSource, call: GrpcCall, snapshot: DatabaseSnapshot) {
    this.#server = server;
    this.#call = call;
    this.#gate = new AnswerGate(call);
    this.#snapshot = snapshot;
    this.#version = encodeUtf8(server.versions.storage);
    this.#startMs = server.monotonicMs();
  }

  start(): void {
    this.#logger.info("sending database snapshot to client", this.#logFields());
    this.#call.onDrain(() => this.#run());
    this.#call.onCancel(() => this.#snapshot.close());
    this.#run();
  }

  #run(): void {
    if (this.#running || this.#ended) return;
    this.#running = true;
    runRead(this.#server, {
      call: this.#call,
      gate: this.#gate,
      steps: this.#pump(),
      done: () => {
        this.#running = false;
        return !this.#ended;
      },
      failed: (error) => {
        this.#ended = true;
        this.#snapshot.close();
        this.#call.fail(statusOf(error));
      },
    });
  }

  /** Sends until the peer has enough for now, or all of it. */
  *#pump(): Generator<undefined, void, undefined> {
    for (;;) {
      const { done, value: chunk } = this.#snapshot.chunks.next();
      if (done) return this.#end();
      if (chunk) {
        this.#hash.update(chunk);
        this.#sentBytes += chunk.length;
        const remaining = this.#snapshot.totalBytes - this.#sentBytes;
        if (!this.#call.write(encodeSnapshotResponse(remaining, chunk, this.#version))) return;
      }
      yield undefined;
    }
  }

  #end(): void {
    this.#ended = true;
    this.#snapshot.close();
    const checksum = this.#hash.digest();
    this.#logger.info("sending database sha256 checksum to client", {
      "total-bytes": this.#snapshot.totalBytes,
      "checksum-size": checksum.length,
    });
    this.#call.write(encodeSnapshotResponse(0, checksum, this.#version));
    this.#call.end();
    const took = formatGoDuration(this.#server.monotonicMs() - this.#startMs);
    this.#logger.info("successfully sent database snapshot to client", { ...this.#logFields(), took });
  }

  get #logger(): Logger {
    return this.#server.logger.at("rpc/maintenance/snapshot.ts");
  }

  #logFields() {
    const { totalBytes } = this.#snapshot;
    return {
      "total-bytes": totalBytes,
      size: humanBytes(totalBytes),
      "storage-version": this.#server.versions.storage,
    };
  }
}
