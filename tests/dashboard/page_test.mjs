// The dashboard as a person uses it. usage: page_test.mjs BROWSER URL FOLDER, the token on standard input.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const [executablePath, url, folder] = process.argv.slice(2);
const token = readFileSync(0, "utf8").trim();
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });

/** A page that may speak with the broker alone, and must not complain. */
async function open(options = {}, hash = "") {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    // A refused change is told to the person; the browser logs its status as an error too.
    if (message.type() === "error" && !/status of 401/.test(message.text())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(request.url());
  });
  await page.goto(url + hash);
  await page.getByRole("status").filter({ hasText: "ready" }).waitFor();
  page.end = async (name) => {
    if (name) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
    assert.deepEqual(complaints, []);
    await context.close();
  };
  return page;
}

const row = (page, region, text) => page.getByRole("region", { name: region }).getByRole("row").filter({ hasText: text });
const number = (text) => Number(text.replaceAll(/\D/g, ""));

async function tile(page, label) {
  return number(await page.locator(".tile", { hasText: label }).locator("b").innerText());
}

async function until(look, what) {
  const deadline = Date.now() + 30_000;
  while (!(await look())) {
    assert.ok(Date.now() < deadline, `not within 30 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

const tests = {
  async "shows queues, workers, running tasks and dead letters, and goes on by itself"() {
    const page = await open();
    await row(page, "Queues", "reports").waitFor();
    assert.match(await row(page, "Queues", "reports").innerText(), /40/);
    await row(page, "Workers", "busy").first().waitFor();
    await row(page, "Running tasks", "thumbnails").first().waitFor();
    assert.equal(await row(page, "Dead letters", "mail").count(), 5);
    const before = await tile(page, "completed");
    await until(async () => (await tile(page, "completed")) > before, "more tasks completed");
    await page.locator("#throughput .curve").waitFor();
    await page.end("overview");
  },

  async "pauses and resumes under the token alone"() {
    const page = await open();
    await row(page, "Queues", "reports").getByRole("button", { name: "Pause" }).click();
    await page.getByRole("dialog").getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByRole("dialog").getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Use it" }).click();
    await row(page, "Queues", "reports").getByText("paused").waitFor();
    await row(page, "Queues", "reports").getByRole("button", { name: "Resume" }).click();
    await row(page, "Queues", "reports").getByRole("button", { name: "Pause" }).waitFor();
    await page.end();
  },

  async "requeues a dead letter, purges a queue, drains a worker"() {
    const page = await open();
    await page.evaluate((value) => sessionStorage.setItem("millrace-token", value), token);
    await row(page, "Dead letters", "mail").first().getByRole("button").click();
    await page.getByRole("alert").filter({ hasText: "pending again" }).waitFor();
    await row(page, "Queues", "reports").getByRole("button", { name: "Purge" }).click();
    await page.getByRole("button", { name: "Leave it" }).click();
    assert.match(await row(page, "Queues", "reports").innerText(), /40/);
    await row(page, "Queues", "reports").getByRole("button", { name: "Purge" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Purge" }).click();
    await page.getByRole("alert").filter({ hasText: "40 cancelled" }).waitFor();
    const busy = row(page, "Workers", "thumbnails").first();
    await busy.getByRole("button", { name: "Drain" }).click();
    await page.getByRole("alert").filter({ hasText: "takes nothing more" }).waitFor();
    await page.end();
  },

  async "finds a task by keyboard, explains it and tells its history"() {
    const page = await open();
    const id = await row(page, "Dead letters", "mail").first().getByRole("link").innerText();
    await page.keyboard.press("/");
    await page.keyboard.type(id);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: id }).waitFor();
    await page.locator(".timeline").getByText("accepted", { exact: true }).waitFor();
    await page.locator(".timeline").getByText("poison").first().waitFor();
    assert.match(await page.locator(".explanation").innerText(), /dead/);
    await page.getByRole("link", { name: "Overview" }).click();
    await page.getByRole("region", { name: "Queues" }).waitFor();
    await page.end("task");
  },

  async "says what is wrong with an id"() {
    const page = await open({}, "#/tasks/nonsense");
    await page.getByText("a task id is a UUID").waitFor();
    await page.context().close();
  },

  async "the first key reaches the content"() {
    const page = await open();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
    await page.end();
  },

  async "fits a phone and follows the colours of the system"() {
    const light = await open();
    const dark = await open({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
    const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.notEqual(await ground(light), await ground(dark));
    await row(dark, "Workers", "thumbnails").first().waitFor();
    const [wide, seen] = await dark.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= seen, `the page is ${wide} wide on a screen of ${seen}`);
    await light.end();
    await dark.end("phone");
  },
};

let failures = 0;
for (const [name, test] of Object.entries(tests)) {
  try {
    await test();
    console.log(`ok ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`not ok ${name}\n${error.stack}`);
  }
}
await browser.close();
process.exit(failures === 0 ? 0 : 1);
