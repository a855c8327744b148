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
	return element("li", {}, element("a", { href: `/product/${product.id}` }, picture,
		element("h2", { textContent: product.name }),
		element("p", { className: "quiet", textContent: product.category }),
		element("p", { className: "price", textContent: money(product.price_minor, product.currency) }),
		element("p", { className: "quiet", textContent: product.stock > 0 ? "" : "Sold out" })));
}

function showPages(found) {
	by("pages").hidden = found.pages < 2;
	by("page").textContent = `Page ${found.page} of ${found.pages}`;
	for (const [id, page] of [["previous", found.page - 1], ["next", found.page + 1]]) {
		const link = by(id);
		if (page >= 1 && page <= found.pages)
			link.href = address({ page });
		else
			link.removeAttribute("href");
	}
}

async function showCategories() {
	const { categories } = await ask("/api/categories");
	const select = by("category");
	for (const { name, count } of categories)
		select.append(element("option", { value: name, textContent: `${name} (${count})`,
			selected: name === wanted.get("category") }));
	select.addEventListener("change", () => { location.href = address({ category: select.value, page: "" }); });
}

async function showProducts() {
	const found = await ask(`/api/products?${wanted}`);
	by("grid").replaceChildren(...found.products.map(card));
	by("grid").setAttribute("aria-busy", "false");
	by("total").textContent = `${found.total.toLocaleString()} products`;
	showPages(found);
}

by("q").value = wanted.get("q") || "";
if (wanted.get("q"))
	by("heading").textContent = `Products matching “${wanted.get("q")}”`;
Promise.all([showCategories(), showProducts()]).catch((error) => tell(error.message));
