/** Turning authentication on and off. */
import type { MetaChange } from "../backend/backend.ts";
import { errors } from "../errors/table.ts";
import type { AuthState } from "./auth-state.ts";
import { rootName } from "./caller.ts";

/** No changes if it is on already. Throws if there is nobody who could turn it off again. */
export function enableAuth(state: AuthState): MetaChange[] {
  if (state.enabled) return [];
  const root = state.user(rootName);
  if (!root) throw errors.rootUserNotExist();
  if (!root.roles.includes(rootName)) throw errors.rootRoleNotExist();
  return [state.setEnabled(true)];
}

/** No changes if it is off already. */
export function disableAuth(state: AuthState): MetaChange[] {
  return state.enabled ? state.commit(state.setEnabled(false)) : [];
}
