// The dashboard: what the process holds, a line a second, and the plan it keeps to.

import { by, element, tell } from "./common.js";

const POINTS_MAX = 120;
const MIB = 1048576;
const style = getComputedStyle(document.documentElement);
const COLOURS = ["#0a8f79", "#c2571a", "#5a57c9", "#a4266c"];

function chart(id, names) {
	return new globalThis.Chart(by(id), {
		type: "line",
		data: { labels: [], datasets: names.map((label, index) => ({ label, data: [], borderColor: COLOURS[index],
			backgroundColor: COLOURS[index], pointRadius: 0, borderWidth: 2 })) },
		options: { animation: false, responsive: true, maintainAspectRatio: false,
			scales: { y: { beginAtZero: true, ticks: { color: style.getPropertyValue("--quiet") } },
				x: { display: false } },
			plugins: { legend: { display: names.length > 1,
				labels: { color: style.getPropertyValue("--text") } } } },
	});
}

const charts = globalThis.Chart ? {
	memory: chart("chart-memory", ["resident"]),
	use: chart("chart-use", ["exchanges", "fullest pool"]),
	turns: chart("chart-turns", ["p50", "p99", "longest"]),
	requests: chart("chart-requests", ["requests a second"]),
} : {};

by("charts").hidden = !globalThis.Chart;
by("no-charts").hidden = Boolean(globalThis.Chart);

function draw(name, values) {
	const { data } = charts[name] ?? {};
	if (!data)
		return;
	data.labels.push("");
	values.forEach((value, index) => data.datasets[index].data.push(value));
	if (data.labels.length > POINTS_MAX) {
		data.labels.shift();
		data.datasets.forEach((set) => set.data.shift());
	}
	charts[name].update("none");
}

const share = (taken, count) => (count > 0 ? (100 * taken) / count : 0);

function showPools(pools) {
	by("pools").replaceChildren(...pools.map((pool) => element("tr", {},
		element("th", { scope: "row", textContent: pool.name }),
		element("td", { "data-label": "In use", textContent: pool.taken.toLocaleString() }),
		element("td", { "data-label": "Of", textContent: pool.count.toLocaleString() }),
		element("td", { "data-label": "Share", textContent: `${share(pool.taken, pool.count).toFixed(1)} %` }))));
}

function show(now) {
	if (now.error) {
		tell(`The service cannot say what it holds: ${now.error}.`);
		return;
	}
	by("resident").textContent = `${(now.resident_bytes / MIB).toFixed(1)} MiB`;
	by("resident").dataset.bytes = now.resident_bytes;
	by("mallocs").textContent = now.mallocs.toLocaleString();
	by("requests").textContent = Math.round(now.requests_per_s).toLocaleString();
	by("p99").textContent = `${now.p99_us.toLocaleString()} µs`;
	by("pause").textContent = `${now.pause_max_us.toLocaleString()} µs`;
	by("faults").textContent = now.page_faults.toLocaleString();
	by("connections").textContent = now.connections.toLocaleString();
	by("fragmentation").textContent = now.fragmentation.toFixed(2);
	draw("memory", [now.resident_bytes / MIB]);
	draw("use", [share(now.exchanges_taken, now.exchanges),
		Math.max(0, ...now.pools.map((pool) => share(pool.taken, pool.count)))]);
	draw("turns", [now.p50_us, now.p99_us, now.max_us]);
	draw("requests", [now.requests_per_s]);
	showPools(now.pools);
}

async function showPlan() {
	const response = await fetch("/memory.json", { headers: { Accept: "application/json" } });
	if (!response.ok)
		throw new Error(`The plan cannot be read: ${response.status}.`);
	const { plan: { lines } } = await response.json();
	by("plan").replaceChildren(...lines.map((line) => element("tr", {},
		element("th", { scope: "row", textContent: line.name }),
		element("td", { "data-label": "Bytes each", textContent: line.size_each.toLocaleString() }),
		element("td", { "data-label": "Count", textContent: line.count.toLocaleString() }),
		element("td", { "data-label": "Bytes", textContent: line.size_total.toLocaleString() }),
		element("td", { "data-label": "Why", textContent: line.reason }))));
}

const events = new EventSource("/memory/events");
events.addEventListener("message", (event) => show(JSON.parse(event.data)));
events.addEventListener("open", () => { by("connection").textContent = "Live."; });
events.addEventListener("error", () => { by("connection").textContent = "The connection broke; trying again."; });
showPlan().catch((error) => tell(error.message));
