// From a cart to an order, and from a card to a payment. The same attempt has the same idempotency
// key, so that a second press, or a connection that breaks, never pays twice.

import { ask, by, element, money, tell } from "./common.js";

const state = { cart: null, order: null, key: "" };
const FIELDS = { "email": "email", "card.number": "number", "card.month": "expiry", "card.year": "expiry", "card.code": "security" };

function newKey() {
	state.key = crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)),
		(byte) => byte.toString(16).padStart(2, "0")).join("");
}

function showSum(minor, currency) {
	by("sum").textContent = money(minor, currency);
}

function mark(id, text) {
	by(id).setAttribute("aria-invalid", text ? "true" : "false");
	by(`${id}-error`).textContent = text;
}

function clearMarks() {
	for (const id of ["email", "number", "expiry", "security"])
		mark(id, "");
	by("failure").textContent = "";
}

function card() {
	const [month, year] = by("expiry").value.split("/").map((part) => Number(part.trim()));
	return { number: by("number").value.replace(/[\s-]/g, ""), month: month || 0,
		year: year ? (year < 100 ? 2000 + year : year) : 0, code: by("security").value.trim() };
}

// A button that was disabled has lost the keyboard.
function refocus() {
	by("submit").disabled = false;
	by("submit").focus();
}

function complain(error) {
	const field = FIELDS[error.body?.field];
	if (field) {
		mark(field, error.message);
		by(field).focus();
	} else {
		by("failure").textContent = error.message;
		refocus();
	}
}

function showChanges(error) {
	const { changes, total_minor: total } = error.body;
	const names = new Map(state.cart.lines.map((line) => [line.product, line.name]));
	by("changes").hidden = false;
	by("changes").replaceChildren(element("p", { textContent: "Prices have changed since you filled your cart:" }),
		element("ul", {}, ...changes.map((change) => element("li", {
			textContent: `${names.get(change.product) ?? "A product"}: ${money(change.was_minor, state.cart.currency)} → ` +
				money(change.is_minor, state.cart.currency) }))),
		element("p", { textContent: "Press Pay again if that is right for you." }));
	state.cart.total_minor = total;
	showSum(total, state.cart.currency);
}

async function order() {
	if (state.order)
		return state.order;
	state.order = await ask("/api/checkout", { method: "POST",
		body: { confirmed_total_minor: state.cart.total_minor, email: by("email").value.trim() } });
	return state.order;
}

async function pay() {
	const made = await order();
	const key = encodeURIComponent(made.key);
	const payment = await ask(`/api/payments?key=${key}`, { method: "POST", headers: { "Idempotency-Key": state.key },
		body: { order: made.id, amount_minor: made.total_minor, currency: made.currency, card: card(), capture: true } });
	location.href = `/order/${encodeURIComponent(payment.order)}?key=${key}`;
}

by("pay").addEventListener("submit", async (event) => {
	event.preventDefault();
	clearMarks();
	by("submit").disabled = true;
	try {
		await pay();
	} catch (error) {
		if (error.code === "price_changed")
			showChanges(error), refocus();
		else
			complain(error);
		// A server that answered has decided on this attempt; a connection that broke has not told.
		if (error.status && error.status !== 503)
			newKey();
	} finally {
		by("submit").disabled = false;
	}
});

async function begin() {
	const asked = new URLSearchParams(location.search);
	const wanted = asked.get("order");
	newKey();
	if (wanted) {
		state.order = await ask(`/api/orders/${encodeURIComponent(wanted)}?key=${encodeURIComponent(asked.get("key") ?? "")}`);
		by("email").closest(".field").hidden = true;
		showSum(state.order.total_minor, state.order.currency);
		return;
	}
	state.cart = await ask("/api/cart");
	if (state.cart.lines.length === 0)
		location.replace("/cart");
	showSum(state.cart.total_minor, state.cart.currency);
}

begin().catch((error) => tell(error.message));
