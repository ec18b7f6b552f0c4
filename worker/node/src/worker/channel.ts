// What the process of the session and the process of the handlers tell each other. Whatever crosses is
// copied, by the structured clone algorithm.
import type { HostPort } from "../address.js";
import type { StopReason } from "../errors.js";
import type { Completion, DispatchedTask, Extension, HeldLease } from "../wire/messages.js";
import type { ErrorCode } from "../words.js";
import type { SessionSettings } from "./session-types.js";

/** What the session's process starts with. */
export interface ProcessSettings {
  readonly broker: HostPort;
  readonly key: string | undefined; // a file
  readonly session: SessionSettings;
  readonly drainTimeoutMs: number;
  readonly connectTimeoutMs: number; // 0: it waits
}

export type NoticeLevel = "info" | "warning";

export type ToHandlers =
  | { readonly kind: "start"; readonly tasks: readonly DispatchedTask[] }
  | {
      readonly kind: "stop";
      readonly leases: readonly (HeldLease & { readonly reason: StopReason })[];
    }
  | { readonly kind: "limits"; readonly resultBytesMax: number }
  | { readonly kind: "notice"; readonly level: NoticeLevel; readonly text: string }
  // Everything that runs should end at once; answered by `ended`.
  | { readonly kind: "end" }
  | { readonly kind: "failed"; readonly code: ErrorCode; readonly message: string }
  | { readonly kind: "finished" };

export type ToSession =
  | { readonly kind: "settings"; readonly settings: ProcessSettings } // the first
  | { readonly kind: "done"; readonly completions: readonly Completion[] }
  | { readonly kind: "extend"; readonly extension: Extension }
  | { readonly kind: "stop" } // the first: drain; the second: end at once
  | { readonly kind: "ended" };
