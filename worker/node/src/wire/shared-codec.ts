// Parts that the messages of both ports share, and the heartbeats.
import { DEFAULT_LIMITS, HEARTBEAT_BYTES_MAX, PROTOCOL_VERSION, type PeerLimits } from "../limits.js";
import { millisecondsOf } from "../units.js";
import { BrokenMessage } from "../errors.js";
import { errorCodes } from "../words.js";
import * as flat from "./flat.js";
import type { Beat, BrokerGoodbye, Endpoints, Pulse, Refused } from "./messages.js";
import { Beat as BeatTable } from "./schema/beat.js";
import { BrokerGoodbye as GoodbyeTable } from "./schema/broker-goodbye.js";
import type { Endpoints as EndpointsTable } from "./schema/endpoints.js";
import type { PeerLimits as LimitsTable } from "./schema/peer-limits.js";
import { Pulse as PulseTable } from "./schema/pulse.js";
import { Refused as RefusedTable } from "./schema/refused.js";

export function readEndpoints(table: EndpointsTable | null): Endpoints {
  return { beatPort: table?.beatPort() ?? 0, pulsePort: table?.pulsePort() ?? 0 };
}

/** What is 0 or left out has its default. */
export function readLimits(table: LimitsTable | null): PeerLimits {
  if (table === null) return DEFAULT_LIMITS;
  const told = (value: bigint | number, standard: number): number => Number(value) || standard;
  return {
    frameBytesMax: told(table.frameBytesMax(), DEFAULT_LIMITS.frameBytesMax),
    payloadBytesMax: told(table.payloadBytesMax(), DEFAULT_LIMITS.payloadBytesMax),
    resultBytesMax: told(table.resultBytesMax(), DEFAULT_LIMITS.resultBytesMax),
    errorBytesMax: told(table.errorBytesMax(), DEFAULT_LIMITS.errorBytesMax),
    headersBytesMax: told(table.headersBytesMax(), DEFAULT_LIMITS.headersBytesMax),
    queueNameBytesMax: told(table.queueNameBytesMax(), DEFAULT_LIMITS.queueNameBytesMax),
    batchItemsMax: told(table.batchItemsMax(), DEFAULT_LIMITS.batchItemsMax),
    workerQueuesMax: told(table.workerQueuesMax(), DEFAULT_LIMITS.workerQueuesMax),
    creditMax: told(table.creditMax(), DEFAULT_LIMITS.creditMax),
  };
}

export function readRefused(received: flat.Received): Refused {
  const body = flat.bodyOf(received, new RefusedTable());
  return {
    kind: "refused",
    request: received.request,
    code: errorCodes.wordOf(body.code()) ?? "invalid", // section 12: a code that is not known
    message: body.message() ?? "",
    retryAfterMs: millisecondsOf(body.retryAfterNs()),
  };
}

export function readBrokerGoodbye(received: flat.Received): BrokerGoodbye {
  const body = flat.bodyOf(received, new GoodbyeTable());
  return { kind: "brokerGoodbye", message: body.message() ?? "" };
}

export function encodeBeat(beat: Beat): Uint8Array {
  const builder = flat.newBuilder(128);
  BeatTable.startBeat(builder);
  BeatTable.addProtocolVersion(builder, PROTOCOL_VERSION);
  BeatTable.addWorker(builder, flat.writeUuid(builder, beat.worker));
  BeatTable.addSession(builder, beat.session);
  BeatTable.addNumber(builder, BigInt(beat.number));
  BeatTable.addRunning(builder, beat.running);
  BeatTable.addQueued(builder, beat.queued);
  builder.finish(BeatTable.endBeat(builder), "MRB1");
  return builder.asUint8Array();
}

/** Throws BrokenMessage when it is none. */
export function decodePulse(frame: Uint8Array): Pulse {
  if (frame.length > HEARTBEAT_BYTES_MAX) throw new BrokenMessage("a pulse that is too long");
  const pulse = PulseTable.getRootAsPulse(flat.openBuffer(frame, "Pulse", "MRP1"));
  if (pulse.protocolVersion() !== PROTOCOL_VERSION) {
    throw new BrokenMessage(`protocol version ${pulse.protocolVersion()}`);
  }
  if (pulse.epoch() === 0n) throw new BrokenMessage("a pulse without an epoch");
  return { epoch: pulse.epoch() };
}
