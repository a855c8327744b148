// What has become of an order.

import { ask, by, element, lastOfPath, money, tell } from "./common.js";

const id = lastOfPath();
const key = encodeURIComponent(new URLSearchParams(location.search).get("key") ?? "");
const STATES = {
	awaiting_payment: "Waiting for your payment.",
	paying: "The payment is under way.",
	authorized: "Your bank has approved the payment.",
	shipped: "Paid, and on its way to you.",
	paid: "Paid. Thank you!",
	cancelled: "Cancelled.",
	expired: "It was not paid in time; nothing was charged.",
	refunded: "Refunded.",
};
const PAYMENT_STATES = {
	pending: "being asked", authorized: "authorized", captured: "paid", declined: "declined", voided: "voided",
	refunded: "refunded",
};

function row(line, currency) {
	return element("tr", {},
		element("th", { scope: "row", textContent: `${line.picture ?? ""} ${line.name}`.trim() }),
		element("td", { "data-label": "Price", textContent: money(line.price_minor, currency) }),
		element("td", { "data-label": "Quantity", textContent: line.quantity }),
		element("td", { "data-label": "Total", textContent: money(line.total_minor, currency) }));
}

function show(order) {
	by("id").textContent = order.id;
	by("state").textContent = STATES[order.state] ?? order.state;
	by("lines").replaceChildren(...order.lines.map((line) => row(line, order.currency)));
	by("sum").textContent = money(order.total_minor, order.currency);
	by("payments").replaceChildren(...order.payments.map((payment) => element("li", {
		textContent: `${money(payment.amount_minor, order.currency)} with ${payment.brand} •••• ${payment.last_four}: ` +
			(PAYMENT_STATES[payment.state] ?? payment.state) })));
	by("pay-again").hidden = order.state !== "awaiting_payment";
	by("pay-again").href = `/checkout?order=${encodeURIComponent(order.id)}&key=${encodeURIComponent(order.key)}`;
	// An acquirer may take a moment; whoever waits sees the end of it without asking again.
	if (order.payments.some((payment) => payment.state === "pending"))
		setTimeout(refresh, 1000);
}

async function refresh() {
	try {
		show(await ask(`/api/orders/${encodeURIComponent(id)}?key=${key}`));
	} catch (error) {
		by("state").textContent = error.status === 404 ? "There is no such order here." : error.message;
		tell(error.message);
	}
}

refresh();
