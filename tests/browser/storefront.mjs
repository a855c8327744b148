// The storefront as a person sees it: from a search to a paid order, by mouse and by keyboard alone.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { newVisitor, standsOut, startBrowser, startStorefront, tabTo } from "./support.mjs";

const GOOD = "4242 4242 4242 4242";
const DECLINED = "4000 0000 0000 0002";
const MIB = 1048576;
const DRIFT_MAX = 64 * 1024;
let shop;
let browser;

before(async () => {
	shop = await startStorefront();
	browser = await startBrowser();
});

after(async () => {
	await browser?.close();
	assert.equal(await shop?.stop(), 0);
});

async function visit(t, options) {
	const visitor = await newVisitor(browser, options);
	t.after(visitor.close);
	return visitor;
}

async function search(page, words) {
	await page.goto(shop.url);
	await page.getByRole("searchbox", { name: "Search products" }).fill(words);
	await page.getByRole("button", { name: "Search" }).click();
	await page.getByRole("heading", { name: `Products matching “${words}”` }).waitFor();
}

async function fillCart(page) {
	await search(page, "gloves");
	await page.locator("#grid li a").first().click();
	await page.getByRole("button", { name: "Add to cart" }).click();
	await page.getByRole("link", { name: "Cart 1: item" }).click();
	await page.getByRole("link", { name: "Check out" }).waitFor();
}

async function fillCard(page, number) {
	await page.getByLabel("E-mail").fill("ada@example.org");
	await page.getByLabel("Card number").fill(number);
	await page.getByLabel("Expiry").fill("12/30");
	await page.getByLabel("Security code").fill("123");
}

async function seesPaid(page) {
	await page.getByText("Paid. Thank you!").waitFor();
	await page.getByText("•••• 4242: paid").waitFor();
}

test("a product is found, put into the cart, changed in number, and paid", async (t) => {
	const { page, complaints } = await visit(t);
	await fillCart(page);
	const single = await page.locator("#sum").textContent();
	await page.getByLabel(/^Quantity of/).fill("2");
	await page.getByLabel(/^Quantity of/).press("Enter");
	await page.getByRole("link", { name: "Cart 2: items" }).waitFor();
	const sum = await page.locator("#sum").textContent();
	assert.notEqual(sum, single);
	await page.getByRole("link", { name: "Check out" }).click();
	await page.getByRole("heading", { name: "Check out" }).waitFor();
	await page.locator("#sum", { hasText: sum }).waitFor();
	await fillCard(page, GOOD);
	await page.getByRole("button", { name: "Pay" }).click();
	await seesPaid(page);
	assert.equal(await page.locator("#sum").textContent(), sum);
	assert.deepEqual(complaints, []);
});

test("a declined card says so, and another one pays the same order", async (t) => {
	const { page, complaints } = await visit(t);
	await fillCart(page);
	await page.getByRole("link", { name: "Check out" }).click();
	await fillCard(page, DECLINED);
	await page.getByRole("button", { name: "Pay" }).click();
	await page.locator("#failure", { hasText: /declined/i }).waitFor();
	assert.equal(await page.evaluate(() => document.activeElement.id), "submit");
	await page.getByLabel("Card number").fill(GOOD);
	await page.getByRole("button", { name: "Pay" }).click();
	await seesPaid(page);
	// The browser itself tells of the 402.
	assert.deepEqual(complaints.filter((each) => !each.includes("402")), []);
});

test("a number with a slip in it is told at its field", async (t) => {
	const { page } = await visit(t);
	await fillCart(page);
	await page.getByRole("link", { name: "Check out" }).click();
	await fillCard(page, "4242 4242 4242 4241");
	await page.getByRole("button", { name: "Pay" }).click();
	await page.locator("#number-error:not(:empty)").waitFor();
	assert.equal(await page.getByLabel("Card number").getAttribute("aria-invalid"), "true");
	assert.equal(await page.evaluate(() => document.activeElement.id), "number");
});

test("all of it by keyboard alone", async (t) => {
	const { page, complaints } = await visit(t);
	const type = async (selector, text) => {
		await tabTo(page, selector);
		await page.keyboard.type(text);
	};
	await page.goto(shop.url);
	await page.locator("#grid li").first().waitFor();
	await type("#q", "gloves");
	await page.keyboard.press("Enter");
	await page.getByRole("heading", { name: "Products matching “gloves”" }).waitFor();
	await page.locator("#grid li").first().waitFor();
	await tabTo(page, "#grid a");
	await page.keyboard.press("Enter");
	await page.locator("#product[aria-busy=false]").waitFor();
	await tabTo(page, "#add button");
	await page.keyboard.press("Enter");
	await page.getByText("It is in your cart.").waitFor();
	await page.reload();
	await page.getByRole("link", { name: "Cart 1: item" }).waitFor();
	await tabTo(page, "#to-cart");
	await page.keyboard.press("Enter");
	await page.locator("#lines tr").waitFor();
	await tabTo(page, "#lines input");
	await page.keyboard.press("ArrowUp");
	await page.keyboard.press("Enter");
	await page.getByRole("link", { name: "Cart 2: items" }).waitFor();
	// The row was made anew, and the keyboard is still in it.
	await page.waitForFunction(() => document.activeElement.matches("#lines input"));
	await tabTo(page, "#to-checkout");
	await page.keyboard.press("Enter");
	await page.locator("#sum:not(:text('…'))").waitFor();
	await type("#email", "ada@example.org");
	await type("#number", GOOD);
	await type("#expiry", "12/30");
	await type("#security", "123");
	await page.keyboard.press("Enter");
	await seesPaid(page);
	assert.deepEqual(complaints, []);
});

test("more products come where the last ones end", async (t) => {
	const { page, complaints } = await visit(t);
	await page.goto(shop.url);
	await page.locator("#grid li").nth(23).waitFor();
	await page.getByRole("button", { name: /more/i }).click();
	await page.locator("#grid li").nth(47).waitFor();
	const names = await page.locator("#grid a").evaluateAll((links) => links.map((link) => link.href));
	assert.equal(new Set(names).size, 48);
	assert.equal(await page.evaluate(() => document.activeElement.href), names[24]);
	assert.deepEqual(complaints, []);
});

test("pages of a narrow telephone do not move sideways", async (t) => {
	const { page, complaints } = await visit(t, { viewport: { width: 360, height: 740 } });
	await fillCart(page);
	assert.deepEqual(await standsOut(page), [], "/cart");
	for (const path of ["/", "/product/1", "/checkout", "/dashboard"]) {
		await page.goto(shop.url + path);
		await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
		if (path === "/dashboard")
			await page.locator("#resident[data-bytes]").waitFor();
		assert.deepEqual(await standsOut(page), [], path);
	}
	await page.goto(`${shop.url}/checkout`);
	await fillCard(page, GOOD);
	await page.getByRole("button", { name: "Pay" }).click();
	await seesPaid(page);
	assert.deepEqual(await standsOut(page), [], "/order");
	assert.deepEqual(complaints, []);
});

test("every page has one heading of the first rank, and names for all that is operated", async (t) => {
	const { page } = await visit(t);
	await fillCart(page);
	for (const path of ["/", "/product/1", "/cart", "/checkout", "/dashboard"]) {
		await page.goto(shop.url + path);
		await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
		assert.equal(await page.locator("h1").count(), 1, path);
		const nameless = await page.evaluate(() => [...document.querySelectorAll("input, select, button, a[href]")]
			.filter((each) => !(each.labels?.length || each.getAttribute("aria-label") || each.textContent.trim()))
			.map((each) => each.outerHTML));
		assert.deepEqual(nameless, [], path);
	}
});

test("the dashboard's line of memory is flat while the shop is busy", async (t) => {
	if (spawnSync("wrk", ["--version"]).error) {
		t.skip("wrk is not installed");
		return;
	}
	const { page, complaints } = await visit(t);
	await page.goto(`${shop.url}/dashboard`);
	await page.locator("#resident[data-bytes]").waitFor();
	await page.locator("#plan tr").first().waitFor();
	assert.equal(await page.locator("#charts").isVisible(), await page.evaluate(() => Boolean(globalThis.Chart)));
	const resident = () => page.locator("#resident").getAttribute("data-bytes").then(Number);
	const seen = [await resident()];
	const wrk = spawn("wrk", ["-t1", "-c32", "-d5s", `${shop.url}/api/products?q=gloves`], { stdio: "ignore" });
	const ended = new Promise((resolve) => { wrk.once("exit", resolve); });
	let requests = 0;
	for (let count = 0; count < 10; count++) {
		await page.waitForTimeout(500);
		seen.push(await resident());
		const text = await page.locator("#requests").textContent();
		requests = Math.max(requests, Number(text.replace(/\D/g, "")));
	}
	await ended;
	assert.ok(Math.max(...seen) - Math.min(...seen) <= DRIFT_MAX, `resident: ${seen.map((each) => each / MIB)} MiB`);
	assert.ok(requests > 100, `${requests} requests a second`);
	assert.equal(await page.locator("#mallocs").textContent(), "0");
	assert.deepEqual(complaints, []);
});
