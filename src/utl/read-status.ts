/** What `etcdutl snapshot status` tells of a database file. */
import { randomInt } from "node:crypto";
import { checkFile } from "../bbolt/check-file.ts";
import { type BucketRoot, DatabaseFile } from "../bbolt/database-file.ts";
import { readBuckets, readLeaves } from "../bbolt/read-rows.ts";
import { decodeKeyValue } from "../codec/key-value.ts";
import { toBinaryKey } from "../lib/binary-key.ts";
import { crc32c } from "../lib/crc32c.ts";
import type { Disk } from "../lib/disk.ts";
import { metaBucket } from "../membership/conf-state-row.ts";
import { keyBucket, positionKeys } from "../server/snapshot/etcd-buckets.ts";
import { decodeRevisionKey } from "../server/snapshot/revision-key.ts";
import { LiveKeys } from "./live-keys.ts";

export interface SnapshotStatus {
  /** CRC-32C over the names of the buckets and all that is in them. */
  readonly hash: number;
  /** Of the newest row. */
  readonly revision: number;
  /** Keys that live at that revision. */
  readonly totalKey: number;
  /** Bytes of the database. */
  readonly totalSize: number;
  /** The storage version; empty before etcd 3.6. */
  readonly version: string;
}

const encoder = new TextEncoder();

/** Rejects with an Error that says what is wrong with the file. */
export async function readStatus(disk: Disk, path: string): Promise<SnapshotStatus> {
  const file = await DatabaseFile.open(disk, path);
  try {
    const { problems, count } = await checkFile(file);
    if (count > 0) {
      throw new Error(`snapshot file integrity check failed. ${count} errors found.\n${problems.join("\n")}`);
    }
    return await new StatusReader(file).read();
  } finally {
    await file.close();
  }
}

class StatusReader {
  readonly #file: DatabaseFile;
  readonly #live = new LiveKeys([randomInt(2 ** 32), randomInt(2 ** 32)]);
  #hash = 0;
  #revision = 0;
  #version = "";

  constructor(file: DatabaseFile) {
    this.#file = file;
  }

  async read(): Promise<SnapshotStatus> {
    for (const [name, root] of await readBuckets(this.#file)) await this.#readBucket(name, root);
    return {
      hash: this.#hash,
      revision: this.#revision,
      totalKey: this.#live.count,
      totalSize: this.#file.bytes,
      version: this.#version,
    };
  }

  async #readBucket(name: string, root: BucketRoot): Promise<void> {
    this.#hash = crc32c(encoder.encode(name), this.#hash);
    for await (const { page, rows } of readLeaves(this.#file, root)) {
      for (const { key, value, isBucket } of rows) {
        this.#hash = crc32c(key, this.#hash);
        if (isBucket) continue;
        this.#hash = crc32c(value, this.#hash);
        if (name === keyBucket) this.#readVersion(page, key, value);
        else if (name === metaBucket && toBinaryKey(key) === positionKeys.storageVersion) {
          this.#version = toBinaryKey(value);
        }
      }
    }
  }

  #readVersion(page: number, key: Uint8Array, value: Uint8Array): void {
    const place = decodeRevisionKey(key);
    if (place === undefined) this.#file.fail(page, "a row of bucket key has no revision for its key");
    this.#revision = place.main;
    try {
      this.#live.set(decodeKeyValue(value).key, !place.isTombstone);
    } catch {
      this.#file.fail(page, `row ${place.main}_${place.sub} of bucket key cannot be read`);
    }
  }
}
