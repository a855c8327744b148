// What the browser tests share: a storefront with a journal of its own, and Chromium to visit it.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const BUILD = process.env.ZEROG_BUILD ?? join(import.meta.dirname, "../../build");
const START_MS_MAX = 60_000;
export const STEP_MS_MAX = 15_000;

// Resolves to { url, stop } once it serves.
export async function startStorefront() {
	const folder = mkdtempSync(join(tmpdir(), "zerog-browser-"));
	const process = spawn(join(BUILD, "storefront"),
		["--listen", "127.0.0.1:0", "--store", `journal:${folder}/data`], { stdio: ["ignore", "ignore", "pipe"] });
	const ended = new Promise((resolve) => { process.once("exit", resolve); });
	let log = "";
	const url = await new Promise((resolve, reject) => {
		const timer = setTimeout(() => { reject(new Error(`it does not serve:\n${log}`)); }, START_MS_MAX);
		process.stderr.on("data", (data) => {
			log += data;
			const found = /serving on (http:\S+)/.exec(log);
			if (found) {
				clearTimeout(timer);
				resolve(found[1]);
			}
		});
		process.once("exit", (code) => { reject(new Error(`it ended with ${code}:\n${log}`)); });
	});
	return {
		url,
		async stop() {
			process.kill("SIGTERM");
			const code = await ended;
			rmSync(folder, { recursive: true });
			return code;
		},
	};
}

// Root has no user namespace of its own to put Chromium's sandbox into.
export function startBrowser() {
	return chromium.launch({ executablePath: process.env.ZEROG_CHROMIUM ?? "/usr/bin/chromium",
		args: process.getuid() === 0 ? ["--no-sandbox"] : [] });
}

// A visitor with cookies of their own. What goes wrong in their console is kept: `complaints`.
export async function newVisitor(browser, options = {}) {
	const context = await browser.newContext({ locale: "en-GB", ...options });
	const page = await context.newPage();
	const complaints = [];
	page.setDefaultTimeout(STEP_MS_MAX);
	page.on("pageerror", (error) => { complaints.push(String(error)); });
	page.on("console", (message) => {
		if (message.type() === "error" || message.type() === "warning")
			complaints.push(`${message.location().url}: ${message.text()}`);
	});
	return { page, complaints, close: () => context.close() };
}

// Whether the element with the keyboard matches; then what is typed goes there.
async function hasFocus(page, selector) {
	return page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector);
}

// Tab, until it is there: a person without a mouse finds everything so.
export async function tabTo(page, selector, tabs_max = 60) {
	for (let tabs = 0; tabs < tabs_max; tabs++) {
		if (await hasFocus(page, selector))
			return;
		await page.keyboard.press("Tab");
	}
	throw new Error(`the keyboard does not get to ${selector}`);
}

// Does anything stand out of the page on the right? Names it.
export function standsOut(page) {
	return page.evaluate(() => {
		const { clientWidth, scrollWidth } = document.documentElement;
		if (scrollWidth <= clientWidth)
			return [];
		return [...document.querySelectorAll("body *")]
			.filter((each) => each.getBoundingClientRect().right > clientWidth)
			.map((each) => `${each.tagName.toLowerCase()}#${each.id}.${each.className}`);
	});
}
