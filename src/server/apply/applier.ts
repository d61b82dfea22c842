/**
 * Applies committed entries to the replicated state. The same entries give the same state on every member: time and ids
 * come from the entries, and nothing here asks a clock.
 */
import type { Caller } from "../../auth/caller.ts";
import {
  decodeRaftRequest,
  type RaftRequestBody,
  type RequestHeader,
  raftField,
} from "../../codec/raft-internal.ts";
import { EtcdError } from "../../errors/etcd-error.ts";
import { errors } from "../../errors/table.ts";
import { AlarmType } from "../../gen/tables/etcdserverpb/rpc.ts";
import type { RaftIndex, Term } from "../../lib/ids.ts";
import { type Entry, EntryType } from "../../lib/raft-entry.ts";
import type { Steps } from "../../lib/steps.ts";
import { Proposal, type ProposalContent } from "../proposal.ts";
import { applyAlarm } from "./apply-alarm.ts";
import { applyAuth, isAuthField } from "./apply-auth.ts";
import { applyConfChange } from "./apply-conf-change.ts";
import type { ApplyContext, Outcome } from "./apply-context.ts";
import { applyKeyValue } from "./apply-key-value.ts";
import { applyLease } from "./apply-lease.ts";
import { applyMembership } from "./apply-membership.ts";
import { checkAlarms } from "./check-alarms.ts";
import { checkCaller } from "./check-caller.ts";
import { readMessage } from "./read-message.ts";

export class Applier {
  readonly #context: ApplyContext;

  constructor(context: ApplyContext) {
    this.#context = context;
  }

  /** Applies an entry; returns what is left to do when it is long. Throws only what is fatal. */
  apply(entry: Entry): Steps<void> | undefined {
    const { index, term } = entry;
    if (entry.type !== EntryType.normal) {
      applyConfChange(this.#context, entry);
      return undefined;
    }
    if (entry.data.length === 0) {
      this.#context.store.applyNothing(index, term);
      this.#context.onLeaderEntry(term);
      return undefined;
    }
    if (entry.decoded instanceof Proposal) {
      const proposal = entry.decoded;
      entry.decoded = undefined; // the log keeps entries for a while, and need not keep calls with them
      return this.#applyRequest(entry, proposal, proposal);
    }
    // It came from elsewhere: from another member, or from this one before it was started again, or by way of the leader.
    const { header, body } = decodeRaftRequest(entry.data);
    const content = { ...read(body), caller: callerOf(header) };
    // Whoever waits is told the end; what is applied is what the entry says, as on all other members, also should an id
    // ever come twice.
    const found = header.id === 0n ? undefined : this.#context.proposals.find(header.id);
    return this.#applyRequest(entry, content, found?.field === content.field ? found : undefined);
  }

  #applyRequest(
    { index, term }: Entry,
    asked: ProposalContent,
    proposal: Proposal | undefined,
  ): Steps<void> | undefined {
    const { field, request, caller } = asked;
    let check: Steps<void> | undefined;
    const outcome = this.#attempt(
      () => {
        checkAlarms(this.#context, field, request);
        if (this.#context.auth.enabled) check = checkCaller(this.#context, field, request, caller);
        return check ? unchecked : this.#dispatch(field, request, index, term);
      },
      index,
      term,
    );
    const subject = { proposal, field, request, index, term };
    return check ? this.#checkAndApply(check, subject) : this.#settle(outcome, subject);
  }

  /** Checks that are long come before a first effect. */
  *#checkAndApply(check: Steps<void>, subject: Subject): Steps<void> {
    const { field, request, index, term } = subject;
    const refusal = yield* refusalOf(check);
    const run = (): Outcome => {
      if (refusal) throw refusal;
      return this.#dispatch(field, request, index, term);
    };
    const rest = this.#settle(this.#attempt(run, index, term), subject);
    if (rest) yield* rest;
  }

  #dispatch(field: number, request: unknown, index: RaftIndex, term: Term): Outcome {
    const context = this.#context;
    switch (field) {
      case raftField.range:
      case raftField.put:
      case raftField.deleteRange:
      case raftField.txn:
      case raftField.compaction:
        return applyKeyValue(context, field, request, index, term);
      case raftField.leaseGrant:
      case raftField.leaseRevoke:
      case raftField.leaseCheckpoint:
        return applyLease(context, field, request, index, term);
      case raftField.alarm:
        return applyAlarm(context, request, index, term);
      case raftField.clusterVersionSet:
      case raftField.clusterMemberAttrSet:
      case raftField.downgradeInfoSet:
        return applyMembership(context, field, request, index, term);
      case raftField.downgradeVersionTest:
        context.store.applyNothing(index, term);
        return { result: undefined };
      default:
        if (isAuthField(field)) return applyAuth(context, field, request, index, term);
        context.logger.warn("ignored a request that this version does not know", { field, index });
        throw errors.notCapable();
    }
  }

  /** What fails with an error for the client has no effect but to move the applied index. */
  #attempt(run: () => Outcome, index: RaftIndex, term: Term): Outcome {
    try {
      return run();
    } catch (error) {
      if (!(error instanceof EtcdError)) throw error;
      this.#context.store.applyNothing(index, term);
      return { error };
    }
  }

  #settle(outcome: Outcome, subject: Subject): Steps<void> | undefined {
    if (!("steps" in outcome)) {
      this.#finish(outcome, subject);
      return undefined;
    }
    // Most need but one step; a generator for the rest is made only when there is a rest.
    const first = this.#attempt(() => stepOf(outcome), subject.index, subject.term);
    if (!("steps" in first)) {
      this.#finish(first, subject);
      return undefined;
    }
    return this.#rest(outcome, subject);
  }

  *#rest(unfinished: Unfinished, subject: Subject): Steps<void> {
    for (;;) {
      yield undefined;
      const outcome = this.#attempt(() => stepOf(unfinished), subject.index, subject.term);
      if (!("steps" in outcome)) return this.#finish(outcome, subject);
    }
  }

  #finish(outcome: Outcome, { proposal, field, request }: Subject): void {
    const { onApplied, proposals } = this.#context;
    const error = "error" in outcome ? outcome.error : undefined;
    const result = "result" in outcome ? outcome.result : undefined;
    onApplied(field, request, error, result);
    if (error?.message === errors.noSpace.text && !this.#context.alarms.has(AlarmType.NOSPACE)) {
      this.#context.onNoSpace(() => proposal && proposals.finish(proposal, error));
      return;
    }
    if (proposal) proposals.finish(proposal, error, result);
  }
}

/** A request that is being applied. */
interface Subject {
  readonly proposal: Proposal | undefined;
  readonly field: number;
  readonly request: unknown;
  readonly index: RaftIndex;
  readonly term: Term;
}

/** Stands for an outcome while it is being checked whether there will be one. */
const unchecked: Outcome = { result: undefined };

function* refusalOf(check: Steps<void>): Steps<EtcdError | undefined> {
  try {
    yield* check;
    return undefined;
  } catch (error) {
    if (error instanceof EtcdError) return error;
    throw error;
  }
}

/** Nobody, in entries that were made without authentication or by the server itself. */
function callerOf({ username, authRevision }: RequestHeader): Caller | undefined {
  return username === "" && authRevision === 0 ? undefined : { username, authRevision };
}

type Unfinished = Extract<Outcome, { steps: Steps<unknown> }>;

function stepOf(unfinished: Unfinished): Outcome {
  const step = unfinished.steps.next();
  if (!step.done) return unfinished;
  return unfinished.instead ? { error: unfinished.instead } : { result: step.value };
}

/** A request as it came through the log, in the same form as one that was proposed here. */
function read(body: RaftRequestBody): { field: number; request: unknown } {
  switch (body.kind) {
    case "range":
      return { field: raftField.range, request: body.range };
    case "put":
      return { field: raftField.put, request: body.put };
    case "deleteRange":
      return { field: raftField.deleteRange, request: body.deleteRange };
    case "txn":
      return { field: raftField.txn, request: body.txn };
    case "compaction":
      return { field: raftField.compaction, request: body.compaction };
    case "leaseGrant":
      return { field: raftField.leaseGrant, request: body.leaseGrant };
    case "leaseRevoke":
      return { field: raftField.leaseRevoke, request: body.leaseRevoke };
    case "leaseCheckpoint":
      return { field: raftField.leaseCheckpoint, request: body.leaseCheckpoint };
    case "other":
      return { field: body.field, request: readMessage(body.field, body.bytes) };
    case "none":
      return { field: 0, request: undefined };
  }
}
