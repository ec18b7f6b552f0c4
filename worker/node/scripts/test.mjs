// Runs the compiled tests; those with a real broker too when MILLRACE_BINARIES names its programs.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../dist/test/", import.meta.url));
const tests = readdirSync(folder).filter((name) => name.endsWith(".test.js"));
const paths = tests.map((name) => folder + name);
const { status } = spawnSync(process.execPath, ["--test", ...paths], { stdio: "inherit" });
process.exitCode = status ?? 1;
