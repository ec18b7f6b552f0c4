// Millrace for Node: workers and clients of a Millrace broker.
export { Worker, type WorkerOptions } from "./worker/worker.js";
export type { NoticeLevel } from "./worker/channel.js";
export type { Handler, HandlerContext, HandlerResult, Task } from "./worker/task.js";
export { FailForGood, MillraceError, Retry, Stopped, type StopReason } from "./errors.js";
export type { PeerLimits } from "./limits.js";
export { newTaskId } from "./uuid.js";
export type {
  CancelStatus,
  ErrorCode,
  QueueAction,
  Reason,
  StatusTopic,
  SubmitStatus,
  TaskState,
} from "./words.js";
export {
  Client,
  type CallOptions,
  type ClientOptions,
  type TaskFilter,
  type TaskParts,
  type WaitOptions,
} from "./client/client.js";
export type { SubmitResult } from "./client/calls.js";
export type { TaskSpec } from "./client/task-spec.js";
export type { AttemptRecord, CancelAnswer, FinishedTask, TaskView } from "./wire/messages.js";
