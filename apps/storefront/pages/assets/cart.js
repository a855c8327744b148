// The cart: quantities, a discount, and what it comes to.

import { ask, by, element, money, showCount, tell } from "./common.js";

function quantityField(line) {
	const input = element("input", { id: `quantity-${line.product}`, type: "number", inputMode: "numeric", min: 0, max: 99, value: line.quantity,
		"aria-label": `Quantity of ${line.name}` });
	input.addEventListener("change", () => change(`/api/cart/lines/${line.product}`, {
		method: "PUT", body: { quantity: Number(input.value) } }, `The quantity of ${line.name} is changed.`));
	return input;
}

function row(line, currency) {
	const remove = element("button", { type: "button", className: "plain", textContent: "Remove",
		"aria-label": `Remove ${line.name}` });
	remove.addEventListener("click", () => change(`/api/cart/lines/${line.product}`, { method: "DELETE" },
		`${line.name} is removed.`));
	return element("tr", {},
		element("th", { scope: "row" }, `${line.picture} `, element("a", { href: `/product/${line.product}`, textContent: line.name })),
		element("td", { "data-label": "Price", textContent: money(line.price_minor, currency) }),
		element("td", { "data-label": "Quantity" }, quantityField(line)),
		element("td", { "data-label": "Total", textContent: money(line.total_minor, currency) }),
		element("td", {}, remove));
}

function show(cart) {
	showCount(cart);
	by("empty").hidden = cart.lines.length > 0;
	by("filled").hidden = cart.lines.length === 0;
	by("lines").replaceChildren(...cart.lines.map((line) => row(line, cart.currency)));
	by("room").textContent = `${cart.lines.length} of ${cart.lines_max} different products.`;
	by("subtotal").textContent = money(cart.subtotal_minor, cart.currency);
	by("reduction-name").hidden = by("reduction").hidden = cart.discount_minor === 0;
	by("reduction").textContent = `−${money(cart.discount_minor, cart.currency)}`;
	by("code").value = cart.discount_code || "";
	by("sum").textContent = money(cart.total_minor, cart.currency);
}

// The rows are made anew; whoever is here by keyboard stays where they were, or goes to the top when that row is gone.
function showAgain(cart) {
	const { id } = document.activeElement;
	const wasInRow = by("lines").contains(document.activeElement);
	show(cart);
	if (wasInRow)
		(by(id) ?? by("content")).focus();
}

async function change(path, options, said) {
	try {
		showAgain(await ask(path, options));
		tell(said);
	} catch (error) {
		tell(error.message);
		showAgain(await ask("/api/cart"));
	}
}

by("discount").addEventListener("submit", (event) => {
	event.preventDefault();
	const code = by("code").value.trim();
	change("/api/cart/discount", code ? { method: "PUT", body: { code } } : { method: "DELETE" },
		code ? "The discount applies." : "There is no discount.");
});

ask("/api/cart").then(show).catch((error) => tell(error.message));
