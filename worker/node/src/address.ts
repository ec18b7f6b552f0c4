import { MillraceError } from "./errors.js";

export const CLIENT_PORT_DEFAULT = 5555;
export const WORKER_PORT_DEFAULT = 5556;

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:tcp:\/\/)?(\[[0-9a-f:.]+\]|[^\s:/[\]]+)(?::(\d{1,5}))?$/i;

/** "HOST", "HOST:PORT" or "tcp://HOST:PORT". Throws MillraceError `misconfigured`. */
export function parseAddress(text: string, portDefault: number): HostPort {
  const found = ADDRESS.exec(text);
  const port = found?.[2] === undefined ? portDefault : Number(found[2]);
  if (found?.[1] === undefined || port < 1 || port > 65_535) {
    throw new MillraceError(
      "misconfigured",
      `'${text}' is not a broker's address; give HOST, HOST:PORT or tcp://HOST:PORT`,
    );
  }
  return { host: found[1], port };
}

export function endpointOf(host: string, port: number): string {
  return `tcp://${host}:${port}`;
}
