import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EtcdError, GrpcCode } from "./etcd-error.ts";
import { codeNames, errors, goStatusText, malformedRequest, malformedStreamMessage } from "./table.ts";

/** Read off etcd 3.7.3 by eye; kept apart from the table so that a slip in one is seen by the other. */
const checkedByHand: [keyof typeof errors, number, string][] = [
  ["emptyKey", 3, "etcdserver: key is not provided"],
  ["keyNotFound", 3, "etcdserver: key not found"],
  ["duplicateKey", 3, "etcdserver: duplicate key given in txn request"],
  ["tooManyOps", 3, "etcdserver: too many operations in txn request"],
  ["compacted", 11, "etcdserver: mvcc: required revision has been compacted"],
  ["futureRev", 11, "etcdserver: mvcc: required revision is a future revision"],
  ["noSpace", 8, "etcdserver: mvcc: database space exceeded"],
  ["leaseNotFound", 5, "etcdserver: requested lease not found"],
  ["leaseExist", 9, "etcdserver: lease already exists"],
  ["leaseTtlTooLarge", 11, "etcdserver: too large lease TTL"],
  ["memberNotFound", 5, "etcdserver: member not found"],
  ["peerUrlExist", 9, "etcdserver: Peer URLs already exists"],
  ["requestTooLarge", 3, "etcdserver: request is too large"],
  ["userNotFound", 9, "etcdserver: user name not found"],
  ["authFailed", 3, "etcdserver: authentication failed, invalid user ID or password"],
  ["permissionDenied", 7, "etcdserver: permission denied"],
  ["invalidAuthToken", 16, "etcdserver: invalid auth token"],
  ["authOldRevision", 3, "etcdserver: revision of auth store is old"],
  ["noLeader", 14, "etcdserver: no leader"],
  ["notLeader", 9, "etcdserver: not leader"],
  ["stopped", 14, "etcdserver: server stopped"],
  ["timeout", 14, "etcdserver: request timed out"],
  ["corrupt", 15, "etcdserver: corrupt cluster"],
  ["notSupportedForLearner", 9, "etcdserver: rpc not supported for learner"],
  ["downgradeInProcess", 9, "etcdserver: cluster has a downgrade job in progress"],
];

describe("the table of errors", () => {
  it("has etcd's codes and texts", () => {
    for (const [name, code, text] of checkedByHand) {
      assert.equal(errors[name].code, code, name);
      assert.equal(errors[name].text, text, name);
    }
  });

  it("has each text once, because clients tell errors apart by text", () => {
    const texts = Object.values(errors).map((factory) => factory.text);
    assert.equal(new Set(texts).size, texts.length);
  });

  it("makes errors that say where they were made", () => {
    for (const factory of Object.values(errors)) {
      const error = factory();
      assert.ok(error instanceof EtcdError && error instanceof Error);
      assert.equal(error.code, factory.code);
      assert.equal(error.message, factory.text);
    }
    assert.match(String(errors.compacted().stack), /table\.test/);
    const stopped = errors.stopped();
    assert.equal(EtcdError.from(stopped), stopped);
    assert.equal(EtcdError.from(new TypeError("x")).code, GrpcCode.unknown);
  });

  it("names every code as grpc-go does", () => {
    for (const [name, code] of Object.entries(GrpcCode)) {
      assert.equal(codeNames[code]?.toLowerCase(), name.toLowerCase());
    }
    assert.equal(
      goStatusText(errors.permissionDenied()),
      "rpc error: code = PermissionDenied desc = etcdserver: permission denied",
    );
  });

  it("words malformed messages as grpc-go does", () => {
    const reason = "proto: cannot parse invalid wire-format data";
    assert.equal(malformedRequest(reason).code, GrpcCode.internal);
    assert.equal(malformedRequest(reason).message, `grpc: error unmarshalling request: ${reason}`);
    assert.equal(
      malformedStreamMessage(reason).message,
      `grpc: failed to unmarshal the received message: ${reason}`,
    );
  });
});
