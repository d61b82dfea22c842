/** Raised alarms: changed only by apply, kept in the bucket "alarm" as etcd keeps them. */

import type { MetaChange } from "../backend/backend.ts";
import { create, fromBinary, toBinary } from "../codec/messages.ts";
import { type AlarmMember, AlarmMemberSchema, AlarmType } from "../gen/tables/etcdserverpb/rpc.ts";
import { fromBinaryKey, toBinaryKey } from "../lib/binary-key.ts";
import type { MemberId } from "../lib/ids.ts";

export const alarmBucket = "alarm";

export class Alarms {
  /** By the bytes of its AlarmMember, which are the row's key. */
  readonly #raised = new Map<string, AlarmMember>();

  load(rows: Map<string, Uint8Array>): void {
    this.#raised.clear();
    for (const key of rows.keys()) this.#raised.set(key, fromBinary(AlarmMemberSchema, fromBinaryKey(key)));
  }

  /** All raised ones, or those of one type. */
  list(type: AlarmType = AlarmType.NONE): AlarmMember[] {
    return [...this.#raised.values()].filter((raised) => type === AlarmType.NONE || raised.alarm === type);
  }

  has(type: AlarmType): boolean {
    for (const raised of this.#raised.values()) if (raised.alarm === type) return true;
    return false;
  }

  /** Undefined changes: it was raised already. */
  raise(memberID: MemberId, alarm: AlarmType): { member: AlarmMember; changes: MetaChange[] } {
    const member = create(AlarmMemberSchema, { memberID, alarm });
    const key = toBinaryKey(toBinary(AlarmMemberSchema, member));
    const known = this.#raised.get(key);
    if (known) return { member: known, changes: [] };
    this.#raised.set(key, member);
    return { member, changes: [{ bucket: alarmBucket, key, value: new Uint8Array(0) }] };
  }

  /** Undefined if it was not raised. */
  disarm(memberID: MemberId, alarm: AlarmType): { member: AlarmMember; changes: MetaChange[] } | undefined {
    const key = toBinaryKey(toBinary(AlarmMemberSchema, create(AlarmMemberSchema, { memberID, alarm })));
    const member = this.#raised.get(key);
    if (!member) return undefined;
    this.#raised.delete(key);
    return { member, changes: [{ bucket: alarmBucket, key, value: undefined }] };
  }
}
