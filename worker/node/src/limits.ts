// The protocol's limits: docs/protocol.md, section 13. The broker announces what holds.

export const PROTOCOL_VERSION = 1;
export const NAME_BYTES_MAX = 128;
export const HEARTBEAT_BYTES_MAX = 256;
export const HEADERS_MAX = 256;
export const HEADER_KEY_BYTES_MAX = 128;
export const PRIORITY_HIGHEST = 9;
export const ATTEMPTS_MAX = 1_000;
export const DAY_MS = 86_400_000;
export const TASK_DURATION_MAX_MS = 3_650 * DAY_MS;
export const BACKOFF_MAX_MS = DAY_MS;
export const TIMEOUT_LEAST_MS = 100;
export const NOT_BEFORE_LATEST_MS = 7_258_118_400_000; // 2200-01-01

/** What both sides of a connection must know. The sender checks before it sends. */
export interface PeerLimits {
  readonly frameBytesMax: number;
  readonly payloadBytesMax: number;
  readonly resultBytesMax: number;
  readonly errorBytesMax: number;
  readonly headersBytesMax: number;
  readonly queueNameBytesMax: number;
  readonly batchItemsMax: number;
  readonly workerQueuesMax: number;
  readonly creditMax: number;
}

export const DEFAULT_LIMITS: PeerLimits = {
  frameBytesMax: 32 * 1024 * 1024,
  payloadBytesMax: 16 * 1024 * 1024,
  resultBytesMax: 16 * 1024 * 1024,
  errorBytesMax: 4 * 1024,
  headersBytesMax: 16 * 1024,
  queueNameBytesMax: 128,
  batchItemsMax: 10_000,
  workerQueuesMax: 1_024,
  creditMax: 10_000,
};
