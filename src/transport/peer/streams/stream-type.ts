/** The two kinds of stream between members, under etcd's names. */
export const streamTypes = {
  /** Appends alone: they are most of what is sent, and nothing else must wait behind them. */
  append: { name: "stream MsgApp v2", queueName: "streamMsgAppV2", path: "/raft/stream/msgapp" },
  message: { name: "stream Message", queueName: "streamMsg", path: "/raft/stream/message" },
} as const;

export type StreamType = keyof typeof streamTypes;
