/** What the commands on users and roles print in formats that show an answer as it is: which message is whose. */
import * as auth from "../../client/messages/auth.ts";
import type { MessageType } from "../../client/wire/message.ts";
import type { Output, Printer } from "./results.ts";

export interface AnswerFormat {
  plain<T>(type: MessageType<T>): (value: T) => Output;
  /** For results that come with what was asked. */
  answer<T>(type: MessageType<T>): (result: { readonly response: T }) => Output;
}

export function authAnswers({ plain, answer }: AnswerFormat): Printer {
  return {
    roleAdd: answer(auth.authRoleAddResponse),
    roleGet: answer(auth.authRoleGetResponse),
    roleDelete: answer(auth.authRoleDeleteResponse),
    roleList: plain(auth.authRoleListResponse),
    roleGrant: answer(auth.authRoleGrantPermissionResponse),
    roleRevoke: answer(auth.authRoleRevokePermissionResponse),
    userAdd: answer(auth.authUserAddResponse),
    userGet: answer(auth.authUserGetResponse),
    userList: plain(auth.authUserListResponse),
    userPassword: plain(auth.authUserChangePasswordResponse),
    userGrant: answer(auth.authUserGrantRoleResponse),
    userRevoke: answer(auth.authUserRevokeRoleResponse),
    userDelete: answer(auth.authUserDeleteResponse),
    authStatus: plain(auth.authStatusResponse),
  };
}
