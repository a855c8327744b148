// One product, and the way into the cart.

import { ask, by, lastOfPath, money, showCount, tell } from "./common.js";

const id = lastOfPath();
let inCart = 0;

async function show() {
	const product = await ask(`/api/products/${id}`);
	document.title = `${product.name} · zerog storefront`;
	for (const key of ["name", "category", "sku", "picture"])
		by(key).textContent = product[key];
	by("picture").style.backgroundColor = product.colour;
	by("price").textContent = money(product.price_minor, product.currency);
	by("stock").textContent = product.stock > 0 ? `${product.stock} in stock` : "Sold out";
	by("add").querySelector("button").disabled = product.stock === 0;
	by("product").setAttribute("aria-busy", "false");
	const cart = await ask("/api/cart");
	inCart = cart.lines.find((line) => line.product === product.id)?.quantity ?? 0;
}

by("add").addEventListener("submit", async (event) => {
	event.preventDefault();
	const quantity = Number(by("quantity").value);
	try {
		const cart = await ask(`/api/cart/lines/${id}`, { method: "PUT", body: { quantity: inCart + quantity } });
		inCart += quantity;
		showCount(cart);
		tell("It is in your cart.");
	} catch (error) {
		tell(error.message);
	}
});

show().catch((error) => {
	by("name").textContent = error.status === 404 ? "There is no such product" : "This product cannot be shown";
	by("add").hidden = true;
	by("product").setAttribute("aria-busy", "false");
	tell(error.message);
});
