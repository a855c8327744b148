// The grid of products: a page of what matches the search and the category.

import { ask, by, element, money, tell } from "./common.js";

const wanted = new URLSearchParams(location.search);

function address(changes) {
	const next = new URLSearchParams(wanted);
	for (const [key, value] of Object.entries(changes)) {
		if (value)
			next.set(key, value);
		else
			next.delete(key);
	}
	return `/?${next}`;
}

function card(product) {
	const picture = element("div", { className: "picture", "aria-hidden": "true", textContent: product.picture });
	picture.style.backgroundColor = product.colour;
	return element("li", {}, element("a", { href: `/product/${product.id}` }, picture,
		element("h2", { textContent: product.name }),
		element("p", { className: "quiet", textContent: product.category }),
		element("p", { className: "price", textContent: money(product.price_minor, product.currency) }),
		element("p", { className: "quiet", textContent: product.stock > 0 ? "" : "Sold out" })));
}

async function showCategories() {
	const { categories } = await ask("/api/categories");
	const select = by("category");
	for (const { name, count } of categories)
		select.append(element("option", { value: name, textContent: `${name} (${count})`,
			selected: name === wanted.get("category") }));
	select.addEventListener("change", () => { location.href = address({ category: select.value }); });
}

// Pages follow each other: each says where the next one begins.
async function showProducts(cursor) {
	const asked = new URLSearchParams(wanted);
	if (cursor)
		asked.set("cursor", cursor);
	const found = await ask(`/api/products?${asked}`);
	const cards = found.products.map(card);
	by("grid").append(...cards);
	by("grid").setAttribute("aria-busy", "false");
	by("more").hidden = found.next === null;
	by("more").onclick = () => more(found.next);
	if (!cursor && found.products.length === 0 && found.next === null)
		by("heading").textContent = "Nothing matches";
	return cards[0];
}

async function more(cursor) {
	by("more").disabled = true;
	try {
		// Who came by keyboard goes on reading where the new ones begin.
		(await showProducts(cursor))?.querySelector("a").focus();
	} catch (error) {
		tell(error.message);
	} finally {
		by("more").disabled = false;
	}
}

by("q").value = wanted.get("q") || "";
if (wanted.get("q"))
	by("heading").textContent = `Products matching “${wanted.get("q")}”`;
Promise.all([showCategories(), showProducts()]).catch((error) => {
	by("heading").textContent = "The products cannot be shown";
	by("grid").setAttribute("aria-busy", "false");
	tell(error.message);
});
