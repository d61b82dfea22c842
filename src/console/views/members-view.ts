/** The members of the cluster, each as it says itself, and alarms. */
import { call, type Header } from "../api.ts";
import { humanBytes } from "../bytes.ts";
import { action, ask, h, messageOf, notify, replace } from "../dom.ts";
import type { MakeView } from "../view.ts";

const refreshMs = 5_000;

interface Member {
  readonly ID: string;
  readonly name?: string;
  readonly peerURLs?: string[];
  readonly clientURLs?: string[];
  readonly isLearner?: boolean;
}
interface Status {
  readonly header?: Header;
  readonly version?: string;
  readonly dbSize?: string;
  readonly dbSizeInUse?: string;
  readonly dbSizeQuota?: string;
  readonly leader?: string;
  readonly raftIndex?: string;
  readonly raftTerm?: string;
  readonly raftAppliedIndex?: string;
  readonly errors?: string[];
}
interface Alarm {
  readonly memberID?: string;
  readonly alarm?: string;
}

/** A member says itself how it is; the one that this page comes from by the page's own address. */
async function statusOf(member: Member, localId: string): Promise<Status | string> {
  const origins = member.ID === localId ? [""] : (member.clientURLs ?? []);
  let problem = "does not say where its clients find it";
  for (const origin of origins) {
    try {
      const signal = AbortSignal.timeout(3_000);
      return await call<Status>("Maintenance/Status", {}, { origin: origin.replace(/\/$/, ""), signal });
    } catch (error) {
      problem = messageOf(error);
    }
  }
  return problem;
}

export const membersView: MakeView = () => {
  const list = h("div", { class: "cards" }, h("p", { class: "dim" }, "Reading…"));
  const alarmList = h("div", {});
  const load = async (): Promise<void> => {
    const [{ header, members = [] }, { alarms = [] }] = await Promise.all([
      call<{ header?: Header; members?: Member[] }>("Cluster/MemberList", { linearizable: false }),
      call<{ alarms?: Alarm[] }>("Maintenance/Alarm", {}),
    ]);
    const statuses = await Promise.all(members.map((member) => statusOf(member, header?.memberId ?? "")));
    const known = statuses.filter((status) => typeof status !== "string");
    const leader = known.find(({ leader }) => leader !== undefined && leader !== "0")?.leader;
    const newest = Math.max(0, ...known.map(({ raftIndex = "0" }) => Number(raftIndex)));
    const cards = members.map((member, i) =>
      cardOf({ member, status: statuses[i]!, isLeader: member.ID === leader, newest, alarms }),
    );
    replace(list, cards);
    replace(
      alarmList,
      alarms.map((alarm) => alarmNotice(alarm, members, quietly)),
    );
  };
  const quietly = () => {
    load().catch((error: unknown) =>
      replace(list, h("p", { class: "problem", role: "alert" }, messageOf(error))),
    );
  };
  quietly();
  const timer = setInterval(quietly, refreshMs);
  const element = h("div", { class: "page" }, alarmList, list);
  return { element, show() {}, leave: () => clearInterval(timer) };
};

function alarmNotice(
  { memberID = "0", alarm = "" }: Alarm,
  members: readonly Member[],
  reload: () => void,
): HTMLElement {
  const name = members.find(({ ID }) => ID === memberID)?.name ?? memberID;
  const disarm = action(() =>
    ask({
      title: "Take the alarm back?",
      text:
        alarm === "NOSPACE"
          ? "Compact and defragment first, or it will come again."
          : "Only once the cause is gone.",
      button: "Disarm",
      danger: true,
      submit: async () => {
        await call("Maintenance/Alarm", { action: "DEACTIVATE", memberID, alarm });
        notify("Disarmed.");
        reload();
      },
    }),
  );
  return h(
    "div",
    { class: "card alarm row", role: "alert" },
    h("strong", {}, alarm),
    h("span", { class: "grow" }, `raised by ${name}`),
    h("button", { onclick: disarm }, "Disarm"),
  );
}

interface CardOptions {
  readonly member: Member;
  readonly status: Status | string;
  readonly isLeader: boolean;
  /** The newest index that any member has. */
  readonly newest: number;
  readonly alarms: readonly Alarm[];
}

function cardOf({ member, status, isLeader, newest, alarms }: CardOptions): HTMLElement {
  const role = isLeader ? "leader" : member.isLearner ? "learner" : "follower";
  const raised = alarms.filter(({ memberID }) => memberID === member.ID).map(({ alarm = "" }) => alarm);
  const head = h(
    "header",
    { class: "row" },
    h("h2", {}, member.name || "(not started)"),
    h("span", { class: `tag ${role}` }, role),
    raised.map((alarm) => h("span", { class: "tag delete" }, alarm)),
  );
  const id = h("p", { class: "mono dim" }, BigInt(member.ID).toString(16));
  const urls = h("p", { class: "mono dim clip" }, (member.clientURLs ?? []).join(" "));
  if (typeof status === "string")
    return h("article", { class: "card" }, head, id, urls, h("p", { class: "problem" }, status));
  const size = Number(status.dbSize ?? 0);
  const quota = Number(status.dbSizeQuota ?? 0);
  const rows: [string, string][] = [
    ["Version", status.version ?? ""],
    ["Database", `${humanBytes(size)}, ${humanBytes(Number(status.dbSizeInUse ?? 0))} in use`],
    ["Term", status.raftTerm ?? "0"],
    ["Applied", Number(status.raftAppliedIndex ?? 0).toLocaleString("en")],
    ["Lag", `${Math.max(0, newest - Number(status.raftAppliedIndex ?? 0)).toLocaleString("en")} entries`],
  ];
  const bar =
    quota > 0 &&
    h(
      "label",
      { class: "quota" },
      h("span", {}, `of the quota of ${humanBytes(quota)}`),
      h("progress", { max: quota, value: size }),
    );
  return h(
    "article",
    { class: "card" },
    head,
    id,
    urls,
    h(
      "dl",
      { class: "facts" },
      rows.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))),
    ),
    bar,
    (status.errors ?? []).map((text) => h("p", { class: "problem" }, text)),
  );
}
