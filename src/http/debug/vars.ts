/** /debug/vars, as Go's expvar package serves it: a JSON object of what somebody may want to look at. */
import type { Hono } from "hono";
import { refuseOtherMethods } from "../health.ts";

/** Each is asked for when somebody looks. Names and contents are etcd's as far as they have a meaning here. */
export type Variables = Readonly<Record<string, () => unknown>>;

export function addVariables(app: Hono, variables: Variables): void {
  app.get("/debug/vars", (context) => {
    const lines = Object.keys(variables)
      .sort()
      .map((name) => `${JSON.stringify(name)}: ${JSON.stringify(variables[name]!())}`);
    const headers = { "Content-Type": "application/json; charset=utf-8" };
    return context.body(`{\n${lines.join(",\n")}\n}\n`, 200, headers);
  });
  refuseOtherMethods(app, "/debug/vars");
}
