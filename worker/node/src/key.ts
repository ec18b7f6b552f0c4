// Key files, made by `millrace keygen`: who a client or a worker is, and whom it talks to.
import { readFileSync, statSync } from "node:fs";
import { MillraceError } from "./errors.js";

const CHARACTERS = 40;
const OTHERS = 0o077;

/** The options of a socket with a key: CURVE, in Z85. */
export interface CurveOptions {
  readonly curvePublicKey: string;
  readonly curveSecretKey: string;
  readonly curveServerKey: string;
}

/** Undefined without a path: no key. Throws MillraceError `misconfigured`. */
export function loadKey(path: string | undefined): CurveOptions | undefined {
  if (path === undefined || path === "") return undefined;
  const document = parsed(textOf(path));
  const [curvePublicKey, curveSecretKey, curveServerKey] = ["public", "secret", "broker"].map(
    (name) => member(document, name),
  );
  if (
    curvePublicKey === undefined ||
    curveSecretKey === undefined ||
    curveServerKey === undefined
  ) {
    throw misconfigured(`${path}: is no key file; take one made by millrace keygen`);
  }
  return { curvePublicKey, curveSecretKey, curveServerKey };
}

function textOf(path: string): string {
  let mode: number;
  let text: string;
  try {
    mode = statSync(path).mode;
    text = readFileSync(path, "latin1");
  } catch (error) {
    throw misconfigured(`${path}: cannot be read: ${error instanceof Error ? error.message : ""}`);
  }
  if ((mode & OTHERS) !== 0) {
    throw misconfigured(`${path}: holds a secret and others may read it; run: chmod 600 ${path}`);
  }
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(document: unknown, name: string): string | undefined {
  if (typeof document !== "object" || document === null) return undefined;
  const value: unknown = Reflect.get(document, name);
  return typeof value === "string" && value.length === CHARACTERS ? value : undefined;
}

function misconfigured(message: string): MillraceError {
  return new MillraceError("misconfigured", message);
}
