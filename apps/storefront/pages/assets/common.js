// What every page needs: asking the server, telling the visitor, money, and the cart's count.

export class Problem extends Error {
	constructor(status, body) {
		super(body.detail || body.title || `The server answered ${status}.`);
		this.status = status;
		this.body = body;
		this.code = body.code || "";
	}
}

export async function ask(path, { method = "GET", body, headers = {} } = {}) {
	const options = { method, headers: { Accept: "application/json", ...headers }, credentials: "same-origin" };
	if (method !== "GET")
		options.headers["X-Requested-With"] = "storefront";
	if (body !== undefined) {
		options.headers["Content-Type"] = "application/json";
		options.body = JSON.stringify(body);
	}
	const response = await fetch(path, options);
	const text = await response.text();
	let found = {};
	try {
		found = text ? JSON.parse(text) : {};
	} catch {
		found = { detail: `The server answered ${response.status}, and no JSON.` };
	}
	if (!response.ok)
		throw new Problem(response.status, found);
	return found;
}

const digits = new Map();

// Minor units are whole numbers; how many make one of the currency, the browser knows.
export function money(minor, currency) {
	if (!digits.has(currency)) {
		const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
		digits.set(currency, { format, scale: 10 ** format.resolvedOptions().maximumFractionDigits });
	}
	const { format, scale } = digits.get(currency);
	return format.format(minor / scale);
}

export const by = (id) => document.getElementById(id);

export function element(name, properties = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(properties)) {
		if (key.startsWith("aria-") || key.startsWith("data-") || key === "for" || key === "scope")
			made.setAttribute(key, value);
		else
			made[key] = value;
	}
	made.append(...children);
	return made;
}

let tellingUntil = 0;

export function tell(text) {
	by("status").textContent = text;
	clearTimeout(tellingUntil);
	tellingUntil = setTimeout(() => { by("status").textContent = ""; }, 6000);
}

export function showCount(cart) {
	const count = cart.lines.reduce((sum, line) => sum + line.quantity, 0);
	by("cart-count").textContent = count;
	by("cart-count").hidden = count === 0;
	// Said with its unit; a name begins with what is seen, so that it can be spoken to.
	by("to-cart").setAttribute("aria-label", count === 0 ? "Cart" : `Cart ${count}: ${count === 1 ? "item" : "items"}`);
}

// The last part of the path: /product/17 → "17".
export function lastOfPath() {
	return decodeURIComponent(location.pathname.split("/").filter(Boolean).pop() || "");
}

ask("/api/cart").then(showCount).catch(() => { by("cart-count").hidden = true; });
