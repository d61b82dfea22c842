/** What --help prints, and the lines that follow a command line that cannot be read. */
import { themes } from "./config.ts";
import { gateEntries } from "./feature-gates.ts";
import type { Option, Status } from "./option.ts";

/** Goes to stderr, after an error and before --help's list. */
export const usage = `Usage:

  etclite [flags]
    Start a server. Under the name "etcd" it is the same program.

  etclite --config-file FILE
    Start a server with the settings of a YAML or JSON file. Flags and ETCD_* variables are then ignored.

  etclite --version
    Show the versions.

  etclite -h | --help
    Show every flag.

  etclite ctl ...
    Be etcdctl. So is the program under the name "etcdctl".

  etclite utl ...
    Be etcdutl. So is the program under the name "etcdutl".
`;

/** Goes to stdout. */
export function helpText(): string {
  const parts = [
    "Every flag can be set by a variable as well: --listen-client-urls is ETCD_LISTEN_CLIENT_URLS.\n",
    `  --config-file ''\n    The YAML or JSON file that holds the settings. It makes flags and variables be ignored.\n`,
  ];
  for (const [theme, table] of Object.entries<Readonly<Record<string, Option>>>(themes)) {
    parts.push(`${theme}:\n${Object.values(table).map(flagText).join("")}`);
  }
  parts.push(`Feature gates (--feature-gates Name=true,Other=false):\n${gateTexts()}`);
  return parts.join("\n");
}

function flagText(option: Option): string {
  const note = noteOf(option.status);
  return `  --${option.flag} '${option.defaultText}'\n    ${option.help}${note === "" ? "" : ` [${note}]`}\n`;
}

function noteOf(status: Status): string {
  switch (status.is) {
    case "works":
      return "";
    case "accepted":
      return `no effect: ${status.why}`;
    case "deprecated":
      return "deprecated";
  }
}

function gateTexts(): string {
  return gateEntries
    .map(([name, gate]) => {
      const note = gate.accepted && `no effect: ${gate.accepted}`;
      const head = `  ${name}=true|false (${gate.stage}, default ${gate.default})`;
      return `${head}\n    ${gate.help}${note ? ` [${note}]` : ""}\n`;
    })
    .join("");
}
